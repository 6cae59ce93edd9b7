using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Structure;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>
/// Every operator that the analysis follows behind a layer that makes one of its dimensions, each dimension of each tensor in turn, and
/// before a layer that reads all it computes: removed equals masked in ONNX Runtime, whichever dimension it is.
/// </summary>
[TestClass]
public class OperatorAxesTests
{
    /// <summary>Operators that read no tensor with values, or that only graphs of ours hold.</summary>
    private static readonly string[] s_withoutTensors = ["ConstantOfShape", "Shape", "Size", Node.Dimensions];

    /// <summary>Shapes are told behind them, and everything stays: what they pick or write depends on values.</summary>
    private static readonly string[] s_opaque = ["GatherElements", "NonZero", "Range", "ScatterElements", "ScatterND"];

    [TestMethod]
    public void Every_operator_that_is_followed_is_tried()
    {
        CollectionAssert.AreEquivalent(Coupling.Operators.Except(s_withoutTensors).ToArray(), OperatorAxesForms.All.Select(form => form.Operator).Distinct().ToArray());
        CollectionAssert.AreEquivalent(OperatorCatalogue.All.Select(one => one.Name).Except(s_opaque).ToArray(), Coupling.Operators.ToArray());
    }

    [TestMethod]
    public void Whichever_dimension_a_layer_makes_removed_equals_masked() => Try(OperatorAxesForms.All);

    [TestMethod]
    public void Through_operators_that_are_rewritten_removed_equals_masked_in_the_original() => Try(OperatorAxesForms.Rewritten);

    private static void Try(IEnumerable<OperatorAxes> forms)
    {
        var wrong = new List<string>();
        foreach (var form in forms)
        {
            var tensors = form.Operands.Select((operand, i) => (Shape: operand as int[], i)).Where(operand => operand.Shape is not null).ToArray();
            for (var t = 0; t < tensors.Length; t++)
            {
                var (shape, place) = (tensors[t].Shape!, tensors[t].i);
                foreach (var axis in Enumerable.Range(0, shape.Length).Where(axis => shape[axis] > 1))
                {
                    // What else it reads is made by layers too, along each of its dimensions in turn.
                    var largest = tensors.Max(tensor => tensor.Shape!.Length);
                    var found = Enumerable.Range(0, tensors.Length > 1 ? largest : 1)
                        .Sum(other => Check(wrong, $"{form}, dimension {axis} of tensor {t}, {other} of others", Model(form, (graph, name, i) =>
                            Produce(graph, name, i == place ? "made" : name, (int[])form.Operands[i]!, i == place ? axis : other % ((int[])form.Operands[i]!).Length))));
                    if (found > 0 != form.Live[t].Contains((char)('0' + axis)))
                    {
                        wrong.Add($"{form}, dimension {axis} of tensor {t}: {found} groups, expected dimensions: {form.Live[t]}");
                    }
                }
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    [TestMethod]
    public void Behind_a_dense_layer_viewed_as_a_picture_the_dimension_that_passes_is_found()
    {
        var wrong = new List<string>();
        foreach (var form in OperatorAxesForms.All.Where(form => form.Operands[0] is int[] { Length: >= 3 } && form.Live[0].Length > 0))
        {
            var found = Check(wrong, $"{form}, viewed", Model(form, (graph, name, i) => View(graph, name, i == 0 ? "made" : name, (int[])form.Operands[i]!)));
            if (found > 0 != form.Live[0].AsSpan().ContainsAnyExcept('0'))
            {
                wrong.Add($"{form}, viewed: {found} groups");
            }
        }

        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }

    /// <returns>How many groups the layer of the name "made" has.</returns>
    private static int Check(List<string> wrong, string what, ModelProto model)
    {
        var path = Path.Combine(Path.GetTempPath(), $"axes-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(model, path);
            Consume(model, Network.FromOnnx(path));
            OnnxFile.Write(model, path);
            var network = Network.FromOnnx(path);
            if (model.Graph.Node.Any(node => node.Domain.Length > 0) && network.Nodes.Any(node => node.Domain.Length > 0))
            {
                wrong.Add($"{what}: it is not rewritten");
            }

            var groups = network.Groups().Where(group => group.Members.Any(member => member.Parameter == "made.weight")).ToArray();
            if (groups.Length > 1)
            {
                var inputs = model.Graph.Input.Select(input => new ZooInput(input.Name, [.. input.Type.TensorType.Shape.Dim.Select(dim => dim.DimValue.ToString())], "float", []));
                RemovalExactnessTests.Compare(new(what, path, [.. inputs], ["result"], true), network, [.. groups.Where((_, i) => i % 3 == 0)]);
            }

            return groups.Length > 1 ? groups.Length : 0;
        }
        catch (Exception e) when (e is AssertFailedException or ArgumentException or OnnxFormatException or NotSupportedException or Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
        {
            wrong.Add($"{what}: {e.GetType().Name} {e.Message}");
            return 0;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ModelProto Model(OperatorAxes form, Action<GraphProto, string, int> produce)
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
                    graph.Initializer.Add(form is { Domain.Length: > 0, Operator: "Attention" } ? OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values, DataType.Int32)
                        : form.Operator == "Where" ? OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values, DataType.Bool)
                        : OnnxTensor.FromLongs(name, [.. integers.Shape.Select(size => (long)size)], integers.Values));
                    break;
                case Numbers numbers:
                    graph.Initializer.Add(OnnxTensor.FromFloats(name, [numbers.Values.Length], numbers.Values));
                    break;
            }

            if (form.ReadsBooleans)
            {
                Add(graph, "Cast", [name], name + ".bool", ("to", (long)DataType.Bool));
                name += ".bool";
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
    private static void Produce(GraphProto graph, string made, string layer, int[] shape, int axis)
    {
        const int inputs = 3;
        int[] others = [.. shape.Where((_, d) => d != axis)];
        AddInput(graph, made + ".x", [.. others.Length == 0 ? [1] : others, inputs]);
        AddWeights(graph, layer + ".weight", [inputs, shape[axis]]);
        AddWeights(graph, layer + ".bias", [shape[axis]]);
        Add(graph, "MatMul", [made + ".x", layer + ".weight"], made + ".product");
        Add(graph, "Add", [made + ".product", layer + ".bias"], made + ".sum");
        Add(graph, "Abs", [made + ".sum"], made + ".last");
        Add(graph, "Transpose", [made + ".last"], made, ("perm", Enumerable.Range(0, shape.Length).Select(d => (long)(d == axis ? shape.Length - 1 : d < axis ? d : d - 1)).ToArray()));
    }

    /// <summary>A dense layer whose outputs are viewed as a picture of many dimensions.</summary>
    private static void View(GraphProto graph, string made, string layer, int[] shape)
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
    private static void Consume(ModelProto model, Network network)
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
