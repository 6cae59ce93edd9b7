using System.Diagnostics;
using Google.Protobuf;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cli;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>
/// Small files that ask for much: a process whose runtime gives out no more than the file allows reads, measures and analyses them, or refuses them.
/// </summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public sealed class BombTests : IDisposable
{
    /// <summary>What each command takes for a small model.</summary>
    private static readonly Lazy<Dictionary<string, long>> s_least = new(OfSmallModel);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("sizes multiplied with themselves")]
    [DataRow("sizes added to themselves")]
    [DataRow("integers joined with themselves")]
    [DataRow("weights joined with themselves")]
    [DataRow("activations joined with themselves")]
    [DataRow("many ranges")]
    [DataRow("many expanded constants")]
    [DataRow("many constants of a shape")]
    [DataRow("a constant tiled over and over")]
    [DataRow("a padding of two billion")]
    [DataRow("an activation of two billion units")]
    [DataRow("many activations of a million units")]
    [DataRow("an activation expanded to two billion")]
    [DataRow("a split of two billion")]
    [DataRow("an input of 100,000 dimensions")]
    [DataRow("a dimension inserted 10,000 times")]
    [DataRow("empty weights of two billion rows")]
    [DataRow("metadata that name two billion indices")]
    [DataRow("nodes without names")]
    [DataRow("windows over an open size one after another")]
    [DataRow("a name of 200,000 letters")]
    public void It_ends_soon_and_in_little_memory(string name)
    {
        var bytes = Model(name).ToByteArray();
        Assert.IsLessThan(1 << 20, bytes.Length);
        Assert.IsTrue(Inspect(bytes, name) is 0 or 1 or 2, name);
    }

    [TestMethod]
    [DataRow("with names")]
    [DataRow("without names")]
    [DataRow("each before the one that it reads")]
    [DataRow("with an attribute each")]
    [DataRow("each of which reads the one before twice")]
    [DataRow("for one row")]
    public void A_hundred_thousand_nodes_are_taken_in_what_their_file_allows(string name)
    {
        var graph = Chain(100_000, (i, node) => node.OpType = "Relu");
        foreach (var node in graph.Node)
        {
            switch (name)
            {
                case "without names":
                    node.ClearName();
                    break;
                case "with an attribute each":
                    node.OpType = "LeakyRelu";
                    node.Attribute.Add(new AttributeProto { Name = "alpha", Type = AttributeType.Float, F = 0.1f });
                    break;
                case "each of which reads the one before twice":
                    node.OpType = "Add";
                    node.Input.Add(node.Input[0]);
                    break;
            }
        }

        if (name == "each before the one that it reads")
        {
            NodeProto[] reversed = [.. graph.Node.Reverse()];
            graph.Node.Clear();
            graph.Node.AddRange(reversed);
        }

        if (name == "for one row")
        {
            graph.Input[0].Type.TensorType.Shape.Dim[0].DimValue = 1;
        }

        Assert.AreEqual(0, Inspect(Of(graph).ToByteArray(), name), name);
        PeaksWithin(Of(graph).ToByteArray(), name);
    }

    [TestMethod]
    public void A_hundred_thousand_nodes_are_read()
    {
        var graph = Chain(100_000, (i, node) => node.OpType = "Relu");
        Assert.AreEqual(100_000, OnnxImport.Read(OnnxFile.Parse(Of(graph).ToByteArray(), "m"), "m", null).Nodes.Length);
    }

    [TestMethod]
    [DataRow("initializers")]
    [DataRow("sparse initializers")]
    [DataRow("inputs")]
    [DataRow("outputs")]
    [DataRow("shapes")]
    [DataRow("constants")]
    [DataRow("branches")]
    [DataRow("functions")]
    [DataRow("versions")]
    [DataRow("texts")]
    public void A_hundred_thousand_small_parts_are_refused_before_they_take_more_than_their_file_allows(string kind)
    {
        var many = Parts(100_000, kind).ToByteArray();
        PeaksWithin(many, kind);
        if (kind is not ("versions" or "texts"))
        {
            var refused = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(many, "m"));
            Assert.StartsWith("m stands for more than ", refused.Message, kind);
        }

        Assert.HasCount(1, OnnxImport.Read(OnnxFile.Parse(Parts(2_000, kind).ToByteArray(), "m"), "m", null).Inputs.Where(input => input.Name == "x"), kind);
    }

    private static ModelProto Parts(int count, string kind)
    {
        var graph = Chain(1, (i, node) => node.OpType = "Relu");
        var model = Of(graph);
        var inner = new GraphProto { Name = "h", Node = { Node("Relu", ["x"], "z") }, Output = { new ValueInfoProto { Name = "z" } } };
        for (var i = 0; i < count; i++)
        {
            var one = OnnxTensor.FromFloats($"w{i}", [1], [1]);
            switch (kind)
            {
                case "initializers":
                    graph.Initializer.Add(one);
                    break;
                case "sparse initializers":
                    graph.SparseInitializer.Add(new SparseTensorProto
                    {
                        Values = one,
                        Indices = OnnxTensor.FromLongs("", [1], [0], DataType.Int64),
                        Dims = { 4 },
                    });
                    break;
                case "inputs" or "shapes":
                    (kind == "inputs" ? graph.Input : graph.ValueInfo).Add(new ValueInfoProto(graph.Input[0]) { Name = $"i{i}" });
                    break;
                case "outputs":
                    graph.Node.Add(Node("Relu", ["x"], $"o{i}"));
                    graph.Output.Add(new ValueInfoProto(graph.Input[0]) { Name = $"o{i}" });
                    break;
                case "constants":
                    graph.Node.Add(Node("Constant", [], $"c{i}", new AttributeProto { Name = "value", Type = AttributeType.Tensor, T = one }));
                    break;
                case "branches":
                    graph.Node.Add(Node("If", ["x"], $"b{i}", new AttributeProto { Name = "then_branch", Type = AttributeType.Graph, G = inner },
                        new AttributeProto { Name = "else_branch", Type = AttributeType.Graph, G = inner }));
                    break;
                case "functions":
                    model.Functions.Add(new FunctionProto
                    {
                        Name = $"f{i}",
                        Domain = "d",
                        Input = { "x" },
                        Output = { "z" },
                        Node = { Node("Relu", ["x"], "z") },
                    });
                    break;
                case "versions":
                    model.OpsetImport.Add(new OperatorSetIdProto { Domain = $"d{i}", Version = 1 });
                    break;
                default:
                    model.MetadataProps.Add(new StringStringEntryProto { Key = $"k{i}", Value = "v" });
                    break;
            }
        }

        return model;
    }

    /// <summary>Without a limit, where the runtime collects when it likes: beyond what the tool takes for a small model.</summary>
    private void PeaksWithin(byte[] bytes, string name)
    {
        var path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, bytes);
        foreach (var (command, least) in s_least.Value)
        {
            Assert.IsLessThanOrEqualTo(least + (4L * bytes.Length) + (64 << 20), Peak(command, path), $"{name}, {command}: {least} for a small model");
        }
    }

    private static Dictionary<string, long> OfSmallModel()
    {
        using var files = new CliFiles();
        var small = files.Save("small.onnx", Network.Mlp(4, 8, 3).Initialize(1));
        return new[] { "inspect", "prune" }.ToDictionary(command => command, command => Peak(command, small));
    }

    private static long Peak(string command, string model) => ChildProcess.PeakMemory(CliProcess.Start([command, model,
        .. command == "prune" ? ["--sparsity", "0.5", "--output", model + ".out"] : Array.Empty<string>()]));

    /// <returns>What the program ends with.</returns>
    private int Inspect(byte[] bytes, string name)
    {
        var path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, bytes);
        var start = CliProcess.Start("inspect", path);
        // What a file may cost: four times its size and 64 MB.
        start.Environment["DOTNET_GCHeapHardLimit"] = ((4L * bytes.Length) + (64 << 20)).ToString("x");
        var watch = Stopwatch.StartNew();
        var (code, output, errors) = ChildProcess.Run(start);
        Assert.IsLessThan(30, watch.Elapsed.TotalSeconds, name);
        Assert.IsFalse(errors.Contains("OutOfMemory", StringComparison.Ordinal) || errors.Contains("Unhandled", StringComparison.Ordinal),
            $"{name}: {code} {errors} {output}");
        return code;
    }

    private static ModelProto Model(string name)
    {
        const int most = int.MaxValue;
        var shape = new GraphProto();
        shape.Node.Add(Node("Shape", ["x"], "s0"));
        switch (name)
        {
            case "sizes multiplied with themselves":
                return Of(Back(shape, 60, "Mul"));
            case "sizes added to themselves":
                return Of(Back(shape, 60, "Add"));
            case "integers joined with themselves":
                return Of(Back(shape, 40, "Concat", Integer("axis", 0)));
            case "weights joined with themselves":
                shape.Node.Clear();
                shape.Initializer.Add(OnnxTensor.FromFloats("s0", [16], new float[16]));
                return Of(Back(shape, 26, "Concat", Integer("axis", 0)));
            case "activations joined with themselves":
                shape.Node.Clear();
                shape.Initializer.Add(OnnxTensor.FromFloats("w", [2, 8], new float[16]));
                shape.Node.Add(Node("MatMul", ["x", "w"], "s0"));
                return Of(Back(shape, 26, "Concat", Integer("axis", 1)));
            case "many ranges":
                return Of(Side(8000, "Range", Longs("a", 0), Longs("b", 65_536), Longs("c", 1)));
            case "many expanded constants":
                return Of(Side(8000, "Expand", OnnxTensor.FromFloats("a", [1], [1]), Longs("b", [65_536])));
            case "many constants of a shape":
                return Of(Side(8000, "ConstantOfShape", Longs("a", [4096])));
            case "a constant tiled over and over":
                shape.Node.Clear();
                shape.Initializer.Add(OnnxTensor.FromFloats("s0", [16], new float[16]));
                shape.Initializer.Add(Longs("two", [2]));
                return Of(Back(shape, 26, "Tile", second: "two"));
            case "a padding of two billion":
                return Of(Once("Pad", Longs("pads", [0, 1_000_000_000, 0, 1_000_000_000])));
            case "an activation of two billion units":
                return Of(Chain(3, (i, node) => node.OpType = "Relu", most));
            case "many activations of a million units":
                return Of(Chain(8000, (i, node) => node.OpType = "Relu", 1 << 20));
            case "an activation expanded to two billion":
                return Of(Once("Expand", Longs("to", [most - 8, 1, 2])));
            case "a split of two billion":
                var split = Chain(1, (i, node) => node.OpType = "Split", most - 1);
                split.Node[0].Output.Add("rest");
                split.Node[0].Attribute.Add(Integer("axis", 1));
                return Of(split);
            case "an input of 100,000 dimensions":
                var wide = Chain(100, (i, node) => node.OpType = "Relu");
                wide.Input[0].Type.TensorType.Shape.Dim.AddRange(Enumerable.Repeat(new TensorShapeProto.Types.Dimension { DimValue = 1 }, 100_000));
                return Of(wide);
            case "a dimension inserted 10,000 times":
                var deep = Chain(10_000, (i, node) =>
                {
                    node.OpType = "Unsqueeze";
                    node.Input.Add("axes");
                });
                deep.Initializer.Add(Longs("axes", [0]));
                return Of(deep);
            case "empty weights of two billion rows":
                var empty = Side(2000, "Add", new TensorProto { Name = "a", DataType = (int)DataType.Float, Dims = { 0, most } },
                    OnnxTensor.FromFloats("b", [1], [1]));
                return Of(empty);
            case "metadata that name two billion indices":
                var model = Of(Once("Add", OnnxTensor.FromFloats("w", [2], [1, 2])));
                model.MetadataProps.Add(new StringStringEntryProto
                {
                    Key = KeptMetadata.Key,
                    Value = $$$"""{"w": {"shape": [{{{most}}}], "kept": {"0": "{{{string.Join(",",
                        Enumerable.Range(0, 120).Select(i => $"{i * 16_777_216L}-{(i * 16_777_216L) + 16_777_214}"))}}}"}, "masked": true}}""",
                });
                return model;
            case "nodes without names":
                return Of(Chain(20_000, (i, node) => (node.OpType, node.Name) = ("Relu", "")));
            case "windows over an open size one after another":
                var windows = Chain(4000, (i, node) =>
                {
                    node.OpType = "MaxPool";
                    node.Attribute.Add(new AttributeProto { Name = "kernel_shape", Type = AttributeType.Ints, Ints = { 3 } });
                });
                windows.Input[0].Type.TensorType.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "T" });
                return Of(windows);
            default:
                var named = Chain(2, (i, node) => node.OpType = "Relu");
                named.Input[0].Type.TensorType.Shape.Dim[1].DimParam = new string('a', 200_000);
                named.Node[1].Name = new string('n', 200_000);
                return Of(named);
        }
    }

    /// <summary>x through so many nodes.</summary>
    private static GraphProto Chain(int count, Action<int, NodeProto> make, int size = 2)
    {
        var graph = new GraphProto();
        for (var i = 0; i < count; i++)
        {
            var node = Node("", [i == 0 ? "x" : $"t{i}"], i == count - 1 ? "y" : $"t{i + 1}");
            node.Name = $"n{i}";
            make(i, node);
            graph.Node.Add(node);
        }

        graph.Input.Add(Input(size));
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        return graph;
    }

    /// <summary>s0 through nodes each of which reads the one before twice.</summary>
    private static GraphProto Back(GraphProto graph, int count, string @operator, AttributeProto? attribute = null, string? second = null)
    {
        for (var i = 0; i < count; i++)
        {
            var node = Node(@operator, [$"s{i}", second ?? $"s{i}"], i == count - 1 ? "y" : $"s{i + 1}");
            if (attribute is not null)
            {
                node.Attribute.Add(attribute);
            }

            graph.Node.Add(node);
        }

        graph.Input.Add(Input(2));
        graph.Output.Add(new ValueInfoProto { Name = "y" });
        return graph;
    }

    private static GraphProto Once(string @operator, TensorProto second)
    {
        var graph = Chain(1, (_, node) => node.OpType = @operator);
        graph.Node[0].Input.Add(second.Name);
        graph.Initializer.Add(second);
        return graph;
    }

    /// <summary>Nodes beside the way from x to y, all of the same constants.</summary>
    private static GraphProto Side(int count, string @operator, params TensorProto[] inputs)
    {
        var graph = Chain(1, (_, node) => node.OpType = "Relu");
        graph.Initializer.AddRange(inputs);
        for (var i = 0; i < count; i++)
        {
            graph.Node.Add(Node(@operator, [.. inputs.Select(input => input.Name)], $"s{i}"));
        }

        return graph;
    }

    private static NodeProto Node(string @operator, string[] inputs, string output, params AttributeProto[] attributes)
        => new() { OpType = @operator, Input = { inputs }, Output = { output }, Attribute = { attributes } };

    private static AttributeProto Integer(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    private static TensorProto Longs(string name, long value) => OnnxTensor.FromLongs(name, [], [value]);

    private static TensorProto Longs(string name, long[] values) => OnnxTensor.FromLongs(name, [values.Length], values);

    private static ValueInfoProto Input(int size) => new()
    {
        Name = "x",
        Type = new TypeProto { TensorType = new() { ElemType = (int)DataType.Float,
            Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" }, new TensorShapeProto.Types.Dimension { DimValue = size } } } } },
    };

    private static ModelProto Of(GraphProto graph) => new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = graph };
}
