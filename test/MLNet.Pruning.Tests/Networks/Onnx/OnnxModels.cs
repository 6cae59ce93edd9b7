using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Small models put together from the messages themselves.</summary>
internal static class OnnxModels
{
    public static ModelProto Model(params NodeProto[] nodes) => new()
    {
        IrVersion = 8,
        ProducerName = "test",
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
        MetadataProps = { new StringStringEntryProto { Key = "author", Value = "nobody" } },
        Graph = Graph("main", nodes),
    };

    /// <summary>A graph from x to y.</summary>
    public static GraphProto Graph(string name, params NodeProto[] nodes)
    {
        var graph = new GraphProto { Name = name, Input = { Value("x") }, Output = { Value("y") } };
        graph.Node.AddRange(nodes);
        return graph;
    }

    public static NodeProto Node(string name, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { Name = name, OpType = "Combine" };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    /// <summary>A node of any operator; attributes are numbers, texts, lists and graphs.</summary>
    public static NodeProto Op(string type, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) => new()
    {
        OpType = type,
        Input = { inputs },
        Output = { outputs },
        Attribute = { attributes.Select(attribute => attribute.Value is GraphProto graph
            ? new() { Name = attribute.Name, Type = AttributeType.Graph, G = graph } : OnnxAttributes.ToProto(attribute.Name, attribute.Value)) },
    };

    /// <summary>A tensor of numbers in [-1, 1).</summary>
    public static TensorProto Weight(string name, int seed, long[] dims, DataType type = DataType.Float)
    {
        var random = new Random(seed);
        return OnnxTensor.FromFloats(name, dims, [.. Enumerable.Range(0, (int)dims.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextSingle() * 2 - 1)],
            type);
    }

    /// <summary>An input or output of floats with an open batch.</summary>
    public static ValueInfoProto Value(string name, params long[] row)
    {
        var value = Value(name);
        var dims = value.Type.TensorType.Shape.Dim;
        dims.RemoveAt(1);
        dims.AddRange(row.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        return value;
    }

    public static ValueInfoProto Value(string name) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new() { ElemType = (int)DataType.Float,
                Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" }, new TensorShapeProto.Types.Dimension { DimValue = 2 } } } },
        },
    };

    public static AttributeProto Branch(GraphProto graph) => new() { Name = "then_branch", Type = AttributeType.Graph, G = graph };

    /// <summary>Two layers with raw and typed weights, a subgraph, attributes of several types.</summary>
    public static ModelProto Small()
    {
        var inner = new GraphProto { Name = "inner", Output = { Value("z") }, Node = { Node("in", ["a"], ["z"]) } };
        var model = Model(
            Node("first", ["x", "w", ""], ["a"], new AttributeProto { Name = "alpha", Type = AttributeType.Float, F = 0.5f },
                new AttributeProto { Name = "axes", Type = AttributeType.Ints, Ints = { 1, -1 } }),
            Node("second", ["a", "b"], ["y"], Branch(inner)));
        model.Graph.Initializer.Add(OnnxTensor.FromFloats("w", [2, 2], [1, 2, 3, 4]));
        model.Graph.Initializer.Add(new TensorProto { Name = "b", DataType = (int)DataType.Float, Dims = { 2 }, FloatData = { 5, 6 } });
        model.Graph.SparseInitializer.Add(OnnxTensor.ToSparse("s", [2, 3], [0, 0, 7, 0, 8, 0]));
        return model;
    }
}
