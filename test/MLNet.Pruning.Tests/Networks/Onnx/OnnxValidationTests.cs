using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public class OnnxValidationTests
{
    [TestMethod]
    public void Versions_outside_the_range_are_refused()
    {
        foreach (var version in new long[] { 0, 2, 14, -1, long.MaxValue })
        {
            Refused(model => model.IrVersion = version, $"IR version {version}", "3 to 13");
        }

        Refused(model => model.ClearIrVersion(), "(none)");
        foreach (var version in new long[] { 6, 27, -1, 0 })
        {
            Refused(model => model.OpsetImport[0].Version = version, $"version {version} of", "7 to 26");
        }

        Refused(model => model.OpsetImport.Clear(), "does not say");
        Refused(model => model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 16 }), "17 and 16");
        Refused(model => model.Graph = null, "no graph");
        foreach (var version in new long[] { 3, 13 })
        {
            Accepted(model => model.IrVersion = version);
        }

        foreach (var version in new long[] { 7, 22, 26 })
        {
            Accepted(model => model.OpsetImport[0].Version = version);
        }

        Accepted(model => model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.example", Version = 1 }));
    }

    [TestMethod]
    public void Names_that_occur_twice_are_refused()
    {
        Refused(model => model.Graph.Node[1].Output[0] = "a", "writes 'a'");
        Refused(model => model.Graph.Node[0].Output[0] = "x", "writes 'x'");
        Refused(model => model.Graph.Node[0].Output[0] = "w", "writes 'w'");
        Refused(model => model.Graph.Node[0].Output.Add("a"), "writes 'a'");
        Refused(model => model.Graph.Initializer.Add(OnnxTensor.FromFloats("w", [1], [1])), "initializer 'w' twice");
        Refused(model => model.Graph.SparseInitializer.Add(OnnxTensor.ToSparse("w", [1], [1])), "initializer 'w' twice");
        Refused(model => model.Graph.Input.Add(Value("x")), "input 'x' twice");
        Refused(model => model.Graph.Output.Add(Value("y")), "output 'y' twice");
        Refused(model => model.Graph.Input.Add(Value("")), "input without a name");
        Refused(model => model.Graph.Initializer[0].ClearName(), "initializer without a name");
        Refused(model => model.Functions.Add([new FunctionProto { Name = "f" }, new FunctionProto { Name = "f" }]), "function 'f'");
        // Names of nodes identify nothing in ONNX, and an initializer may be an input's default.
        Accepted(model => model.Graph.Node[1].Name = "first");
        Accepted(model => model.Graph.Node[1].ClearName());
        Accepted(model => model.Graph.Input.Add(Value("w")));
        Accepted(model => model.Graph.Node[0].Output.Add(["", ""]));
    }

    [TestMethod]
    public void What_nothing_writes_is_refused()
    {
        Refused(model => model.Graph.Node[0].Input.Add("ghost"), "'first' (Combine)", "reads 'ghost'");
        Refused(model => model.Graph.Output[0].Name = "ghost", "output 'ghost'");
        Refused(model => Inner(model).Node[0].Input[0] = "ghost", "graph 'inner'", "reads 'ghost'");
        Refused(model => Inner(model).Output[0].Name = "ghost", "graph 'inner'", "output 'ghost'");
        // A subgraph sees the graph around it, not the other way round.
        Refused(model => model.Graph.Node[1].Input[0] = "z", "reads 'z'");
        Accepted(model => Inner(model).Node[0].Input[0] = "w");
    }

    [TestMethod]
    public void Cycles_are_refused_with_the_nodes_on_them()
    {
        var ring = Model(Node("upstream", ["x"], ["p"]), Node("one", ["p", "c"], ["a"]), Node("two", ["a"], ["b"]), Node("three", ["b"], ["c"]),
            Node("downstream", ["c"], ["y"]));
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxValidation.Check(ring, "m.onnx", null)).Message;
        // Where the ring is entered is free; each node is followed by the one that reads it.
        var ways = new[] { "one two three one", "two three one two",
            "three one two three" }.Select(way => string.Join(" -> ", way.Split(' ').Select(name => $"'{name}' (Combine)")));
        Assert.IsTrue(ways.Any(way => message.Contains($"cycle: {way};")), message);

        Refused(model => model.Graph.Node[0].Input[0] = "a", "cycle: 'first' (Combine) -> 'first' (Combine)");
        // Through a subgraph: the second node's branch reads what the second node writes.
        Refused(model => Inner(model).Node[0].Input[0] = "y", "cycle: 'second'");
    }

    [TestMethod]
    public void An_unsorted_graph_is_accepted_and_sorted_as_little_as_needed()
    {
        var random = new Random(1);
        var sorted = Enumerable.Range(0, 200).Select(i => Node($"n{i}", [i == 0 ? "x" : $"v{random.Next(i)}", i < 2 ? "x" : $"v{random.Next(i)}"], [$"v{i}"]))
            .ToArray();
        var graph = Graph("g", sorted);
        Assert.IsTrue(OnnxGraphOrder.Sort(graph, "g").SequenceEqual(sorted), "a sorted graph stays as it is");
        random.Shuffle(sorted);
        var order = OnnxGraphOrder.Sort(Graph("g", sorted), "g");
        CollectionAssert.AreEquivalent(sorted, order.ToArray());
        var written = new HashSet<string> { "x" };
        foreach (var node in order)
        {
            Assert.IsTrue(node.Input.All(written.Contains), node.Name);
            written.UnionWith(node.Output);
        }

        var captured = Model(Node("second", ["x"], ["y"], Branch(new GraphProto { Name = "inner", Output = { Value("z") },
            Node = { Node("in", ["a"], ["z"]) } })), Node("first", ["x"], ["a"]));
        OnnxValidation.Check(captured, "m.onnx", null);
        CollectionAssert.AreEqual(new[] { "first", "second" }, OnnxGraphOrder.Sort(captured.Graph, "g").Select(node => node.Name).ToArray());
    }

    [TestMethod]
    public void Attributes_hold_what_their_type_says()
    {
        Refused(With(new AttributeProto { Name = "k", Type = AttributeType.Int, F = 1 }), "attribute 'k' of type Int", "Float");
        Refused(With(new AttributeProto { Name = "k", Type = AttributeType.Ints, Ints = { 1 }, Floats = { 1 } }), "Floats");
        Refused(With(new AttributeProto { Name = "k", Type = AttributeType.Tensor }), "no value");
        Refused(With(new AttributeProto { Name = "k", Type = AttributeType.Graph }), "no value");
        Refused(With(new AttributeProto { Name = "k", I = 1 }), "type 0");
        Refused(With(new AttributeProto { Name = "k", Type = (AttributeType)99 }), "type 99");
        Refused(With(new AttributeProto { Name = "k", Type = AttributeType.Int, RefAttrName = "r", I = 1 }), "refers to 'r'");
        Refused(With(new AttributeProto { Type = AttributeType.Int, I = 1 }), "no name");
        Refused(With(new AttributeProto { Name = "alpha", Type = AttributeType.Int, I = 1 }), "'alpha' twice");
        Refused(model => model.Graph.Node[0].ClearOpType(), "no operator");
        Accepted(With(new AttributeProto { Name = "k", Type = AttributeType.Int }));
        Accepted(With(new AttributeProto { Name = "k", Type = AttributeType.Ints }));
        Accepted(With(new AttributeProto { Name = "k", Type = AttributeType.String, S = ByteString.CopyFromUtf8("v") }));
    }

    [TestMethod]
    public void Tensors_are_checked_wherever_they_are()
    {
        var bad = new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 5 }, RawData = ByteString.CopyFrom(new byte[12]) };
        Refused(model => model.Graph.Initializer.Add(bad), "m.onnx", "graph 'main'", "initializer 't'", "12 bytes", "expected 20");
        Refused(model => Inner(model).Initializer.Add(bad), "graph 'inner'", "initializer 't'");
        Refused(With(new AttributeProto { Name = "value", Type = AttributeType.Tensor, T = bad }), "node 'first' (Combine), attribute 'value'");
        Refused(With(new AttributeProto { Name = "values", Type = AttributeType.Tensors, Tensors = { bad } }), "attribute 'values'");
        Refused(model => model.Graph.SparseInitializer[0].Dims[0] = 1, "sparse initializer 's'", "position 4");
        Refused(With(new AttributeProto { Name = "sparse", Type = AttributeType.SparseTensor, SparseTensor = new SparseTensorProto { Dims = { 3 } } }),
            "attribute 'sparse'", "no values");
        Refused(model => model.Graph.Input[0].Type.TensorType.Shape.Dim[1].DimValue = -2, "value 'x'", "-2");
        var function = new FunctionProto { Name = "f", Node = { Node("inside", ["ghost"], ["y"]) } };
        Refused(model => model.Functions.Add(function), "graph 'f'", "'ghost'");
    }

    private static GraphProto Inner(ModelProto model) => model.Graph.Node[1].Attribute[0].G;

    private static Action<ModelProto> With(AttributeProto attribute) => model => model.Graph.Node[0].Attribute.Add(attribute);

    private static void Accepted(Action<ModelProto> change)
    {
        var model = Small();
        change(model);
        Assert.AreEqual(model, OnnxFile.Parse(model.ToByteArray(), "m.onnx"));
    }

    private static void Refused(Action<ModelProto> change, params string[] parts)
    {
        var model = Small();
        change(model);
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(model.ToByteArray(), "m.onnx")).Message;
        foreach (var part in parts.Append("m.onnx"))
        {
            StringAssert.Contains(message, part);
        }
    }
}
