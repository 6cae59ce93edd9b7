using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>Models of one operator behind layers that make what it reads, and before one that reads what it computes.</summary>
internal static class OperatorAxesModels
{
    /// <summary>A model of the operator alone.</summary>
    /// <param name="form">What it reads.</param>
    /// <param name="produce">Adds what makes a tensor that it reads, by name and place.</param>
    public static ModelProto Make(OperatorAxes form, Action<GraphProto, string, int> produce)
    {
        var graph = new GraphProto { Name = "axes" };
        var node = new NodeProto { Name = "node", OpType = form.Operator, Domain = form.Domain };
        for (var i = 0; i < form.Operands.Length; i++)
        {
            var name = form.Operands[i] is null ? "" : $"operand{i}";
            switch (form.Operands[i])
            {
                case int[]:
                    produce(graph, name, i);
                    break;
                case Weights weights:
                    AddWeights(graph, name, weights.Shape);
                    break;
                case Integers integers:
                    graph.Initializer.Add(form is { Domain.Length: > 0, Operator: "Attention" }
                        ? OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values, DataType.Int32)
                        : form.Operator == "Where" ? OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values, DataType.Bool)
                        : OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values));
                    break;
                case Numbers numbers:
                    graph.Initializer.Add(OnnxTensor.FromFloats(name, [numbers.Values.Length], numbers.Values));
                    break;
            }

            if (form.ReadsSmall)
            {
                Add(graph, "Softsign", [name], name + ".small");
                name += ".small";
            }

            if (form.Reads != DataType.Float)
            {
                Add(graph, "Cast", [name], name + ".cast", ("to", (long)form.Reads));
                name += ".cast";
            }

            if (form.Operator == "DequantizeLinear" && form.Operands[i] is int[])
            {
                Add(graph, "QuantizeLinear", [name, name + ".scale"], name + ".integers");
                graph.Initializer.Add(OnnxTensor.FromFloats(name + ".scale", [], [0.02f]));
                name += ".integers";
            }

            node.Input.Add(name);
        }

        node.Output.AddRange(Enumerable.Range(0, form.Outputs).Select(i => $"y{i}"));
        node.Attribute.AddRange(form.Attributes.Select(attribute => OnnxAttributes.ToProto(attribute.Name, attribute.Value)));
        graph.Node.Add(node);
        graph.Output.AddRange(node.Output.Select(output => new ValueInfoProto { Name = output }));
        var model = new ModelProto { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = form.Opset } }, Graph = graph };
        if (form.Domain.Length > 0)
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = form.Domain, Version = 1 });
        }

        return model;
    }

    /// <summary>A layer whose units are one dimension of what it makes.</summary>
    public static void Produce(GraphProto graph, string made, string layer, int[] shape, int axis)
    {
        const int inputs = 3;
        int[] others = [.. shape.Where((_, d) => d != axis)];
        AddInput(graph, made + ".x", [.. others.Length == 0 ? [1] : others, inputs]);
        AddWeights(graph, layer + ".weight", [inputs, shape[axis]]);
        AddWeights(graph, layer + ".bias", [shape[axis]]);
        Add(graph, "MatMul", [made + ".x", layer + ".weight"], made + ".product");
        Add(graph, "Add", [made + ".product", layer + ".bias"], made + ".sum");
        Add(graph, "Abs", [made + ".sum"], made + ".last");
        Add(graph, "Transpose", [made + ".last"], made, ("perm",
            Enumerable.Range(0, shape.Length).Select(d => (long)(d == axis ? shape.Length - 1 : d < axis ? d : d - 1)).ToArray()));
    }

    /// <summary>A dense layer whose outputs are viewed as a picture of many dimensions.</summary>
    public static void View(GraphProto graph, string made, string layer, int[] shape)
    {
        var units = shape.Skip(1).Aggregate(1, (product, size) => product * size);
        AddInput(graph, made + ".x", [shape[0], 3]);
        AddWeights(graph, layer + ".weight", [3, units]);
        AddWeights(graph, layer + ".bias", [units]);
        Add(graph, "Gemm", [made + ".x", layer + ".weight", layer + ".bias"], made + ".sum");
        Add(graph, "Abs", [made + ".sum"], made + ".flat");
        graph.Initializer.Add(OnnxTensor.FromLongs(layer + ".shape", [shape.Length], [.. shape.Select(size => (long)size)]));
        Add(graph, "Reshape", [made + ".flat", layer + ".shape"], made);
    }

    /// <summary>A layer that reads all outputs.</summary>
    public static void Consume(ModelProto model, Network network)
    {
        var graph = model.Graph;
        graph.Output.Clear();
        var last = "";
        foreach (var output in network.Outputs)
        {
            Add(graph, "Cast", [output.Name], output.Name + ".float", ("to", (long)DataType.Float));
            graph.Initializer.Add(OnnxTensor.FromLongs(output.Name + ".shape", [2], [1, -1]));
            Add(graph, "Reshape", [output.Name + ".float", output.Name + ".shape"], output.Name + ".row");
            AddWeights(graph, output.Name + ".weight", [output.Shape.Aggregate(1, (product, size) => product * size), 4]);
            Add(graph, "MatMul", [output.Name + ".row", output.Name + ".weight"], output.Name + ".read");
            if (last.Length > 0)
            {
                Add(graph, "Add", [last, output.Name + ".read"], output.Name + ".all");
            }

            last = last.Length > 0 ? output.Name + ".all" : output.Name + ".read";
        }

        AddWeights(graph, "result.bias", [4]);
        Add(graph, "Add", [last, "result.bias"], "result");
        graph.Output.Add(new ValueInfoProto { Name = "result", Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } });
    }

    private static void Add(GraphProto graph, string @operator, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { Name = output + "." + @operator, OpType = @operator, Input = { inputs }, Output = { output } };
        node.Attribute.AddRange(attributes.Select(attribute => OnnxAttributes.ToProto(attribute.Name, attribute.Value)));
        graph.Node.Add(node);
    }

    private static void AddInput(GraphProto graph, string name, int[] shape)
    {
        var input = new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Float, Shape = new() } } };
        input.Type.TensorType.Shape.Dim.AddRange(shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        graph.Input.Add(input);
    }

    private static void AddWeights(GraphProto graph, string name, int[] shape)
    {
        var random = new Random(graph.Initializer.Count);
        var values = Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size)).Select(_ => 0.1f + random.NextSingle()).ToArray();
        graph.Initializer.Add(OnnxTensor.FromFloats(name, [.. shape.Select(size => (long)size)], values));
    }
}
