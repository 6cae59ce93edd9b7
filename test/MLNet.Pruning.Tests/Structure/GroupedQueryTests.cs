using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Tests.Structure;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Compression.Structure;

/// <summary>GroupQueryAttention of com.microsoft: which heads go with and without keys and values of earlier steps, and what it costs.</summary>
[TestClass]
public class GroupedQueryTests
{
    private const int Heads = 8;
    private const int Groups = 4;
    private const int Size = 16;
    private const int Width = Heads * Size;
    private const int SharedWidth = Groups * Size;

    private readonly string _folder = Directory.CreateTempSubdirectory("grouped").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void A_head_of_keys_and_values_goes_with_the_queries_that_share_it(bool packed)
    {
        var network = Read(Grouped(packed, steps: 5, past: 0));
        Assert.AreEqual((5 * ((12 * Width) + (2 * 12 * SharedWidth) + (Width * 10) + (10 * 6))) + (2 * 5 * 5 * Width),
            NetworkCost.Of(network).Total.MultiplyAdds);
        var structure = network.Groups();
        Assert.HasCount(Groups, structure.Where(group => group.Kind == StructureKind.Head), structure.ToString());
        Assert.HasCount(10, structure.Where(group => group.Kind == StructureKind.Neuron), structure.ToString());
        Compare(network, 5, 0, [.. structure.Where((group, i) => group.Kind == StructureKind.Head && i % 2 == 0)]);
        var small = Compare(network, 5, 0, [.. structure.Where((_, i) => i % 3 == 0)]);
        Assert.AreEqual((4L, 2L), NumbersOfHeads(small));
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void With_a_past_a_head_of_queries_goes_of_each_group(bool packed, bool rotated)
    {
        var model = Grouped(packed, steps: 1, past: 7, rotated);
        var network = Read(model);
        // The step looks at the seven before and itself.
        Assert.AreEqual((12 * Width) + (2 * 12 * SharedWidth) + (Width * 10) + (10 * 6) + (2 * 8 * Width), NetworkCost.Of(network).Total.MultiplyAdds);
        var structure = network.Groups();
        var heads = structure.Where(group => group.Kind == StructureKind.Head).ToArray();
        Assert.HasCount(Heads / Groups, heads, structure.ToString());
        var reasons = string.Join('\n', structure.Reasons());
        StringAssert.Contains(reasons, "the network's input 'past_k' (N x 4 x 7 x 16)");
        StringAssert.Contains(reasons, "the network's output 'keys'");
        var small = Compare(network, 1, 7, [heads[1], .. structure.Where((group, i) => group.Kind == StructureKind.Neuron && i % 2 == 0)]);
        Assert.AreEqual((4L, 4L), NumbersOfHeads(small));
    }

    [TestMethod]
    public void Present_keys_alone_keep_their_heads()
    {
        var model = Grouped(packed: false, steps: 5, past: 0);
        model.Graph.Output.Add(Output("keys"));
        var network = Read(model);
        var structure = network.Groups();
        Assert.HasCount(Heads / Groups, structure.Where(group => group.Kind == StructureKind.Head), structure.ToString());
        StringAssert.Contains(string.Join('\n', structure.Reasons()),
            "wk (MatMul 'k'), dimension 1: 64 of 64 stay: its heads are a dimension of the network's output 'keys'");
        Compare(network, 5, 0, [structure.First(group => group.Kind == StructureKind.Head)]);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(7)]
    public void Queries_of_one_head_of_keys_go_one_by_one(int past)
    {
        var network = Read(Grouped(packed: false, steps: past > 0 ? 1 : 5, past, groups: 1));
        var structure = network.Groups();
        var heads = structure.Where(group => group.Kind == StructureKind.Head).ToArray();
        Assert.HasCount(Heads, heads, structure.ToString());
        Assert.AreEqual((5L, 1L), NumbersOfHeads(Compare(network, past > 0 ? 1 : 5, past, [heads[0], heads[3], heads[4]])));
        StringAssert.Contains(string.Join('\n', structure.Reasons()),
            past > 0 ? "the network's input 'past_k' (N x 1 x 7 x 16)" : "has one head of keys and values, which all queries share");
    }

    [TestMethod]
    public void Queries_stay_where_each_has_keys_of_a_past()
    {
        var structure = Read(Grouped(packed: false, steps: 1, past: 7, groups: Heads)).Groups();
        Assert.AreEqual((StructureKind.Neuron, 10), (structure.Families.Single().Kind, structure.Count), structure.ToString());
        StringAssert.Contains(string.Join('\n', structure.Reasons()),
            "wq (MatMul 'q'), dimension 1: 128 of 128 stay: its heads are a dimension of the network's input 'past_k'");
    }

    [TestMethod]
    public void What_keeps_all_heads_is_named()
    {
        Says("whose input 'sink' holds a value for each head", model =>
        {
            model.Graph.Node.Single(node => node.OpType == "GroupQueryAttention").Input.AddRange(["", "", "", "", "sink"]);
            model.Graph.Initializer.Add(Weight("sink", 9, [Heads]));
        });
        Says("whose input 'bias' may differ from head to head", model =>
        {
            model.Graph.Node.Single(node => node.OpType == "GroupQueryAttention").Input.AddRange(["", "", "", "bias"]);
            model.Graph.Initializer.Add(Weight("bias", 9, [1, Heads, 5, 5]));
        });
        var single = Read(Grouped(packed: false, steps: 5, past: 0)).Groups(new StructureOptions { WholeHeads = false });
        StringAssert.Contains(string.Join('\n', single.Reasons()), "whose heads go as a whole only");

        void Says(string reason, Action<ModelProto> change)
        {
            var model = Grouped(packed: false, steps: 5, past: 0);
            change(model);
            var structure = Read(model).Groups();
            Assert.IsEmpty(structure.Where(group => group.Kind == StructureKind.Head));
            StringAssert.Contains(string.Join('\n', structure.Reasons()), reason);
        }
    }

    [TestMethod]
    public void A_bias_that_all_heads_share_lets_them_go()
    {
        var model = Grouped(packed: false, steps: 5, past: 0);
        model.Graph.Node.Single(node => node.OpType == "GroupQueryAttention").Input.AddRange(["", "", "", "bias"]);
        model.Graph.Initializer.Add(Weight("bias", 9, [1, 1, 5, 5]));
        var network = Read(model);
        Compare(network, 5, 0, [.. network.Groups().Where((group, i) => group.Kind == StructureKind.Head && i % 2 == 0)]);
    }

    [TestMethod]
    public void Products_are_counted_in_open_lengths()
    {
        var model = Grouped(packed: false, steps: 1, past: 7);
        Open(model, "x", 1, "S");
        Open(model, "past_k", 2, "P");
        Open(model, "past_v", 2, "P");
        model.Graph.Initializer.Remove(model.Graph.Initializer.Single(tensor => tensor.Name == "total"));
        model.Graph.Input.Add(new ValueInfoProto { Name = "total", Type = new() { TensorType = new() { ElemType = (int)DataType.Int32, Shape = new() } } });
        var cost = NetworkCost.Of(Read(model));
        Assert.AreEqual($"{2 * Width} P S + {2 * Width} S^2", cost.Layers.Single(layer => layer.Operator == "GroupQueryAttention").MultiplyAddsFormula);
        Assert.IsFalse(cost.ToString().Contains('?'), cost.ToString());
    }

    [TestMethod]
    public void Products_that_cannot_be_counted_are_said_to_be_missing()
    {
        var model = Grouped(packed: false, steps: 1, past: 7);
        model.Graph.Initializer.Single(tensor => tensor.Name == "total").Name = "other";
        model.Graph.Input.Add(new ValueInfoProto { Name = "total", Type = new() { TensorType = new() { ElemType = (int)DataType.Int32, Shape = new() } } });
        Wobble(model, "past_k");
        var cost = NetworkCost.Of(Read(model));
        Assert.AreEqual("?", cost.Layers.Single(layer => layer.Operator == "GroupQueryAttention").MultiplyAddsFormula);
        StringAssert.Contains(cost.ToString(),
            "?: the multiply-adds of 'a' (GroupQueryAttention) are not counted: the number of steps, of those before or of values of a head is not known");
        StringAssert.Contains(cost.ToString(), "(Wobble) are not counted: its operator is not analysed");
    }

    /// <summary>Puts an operator that nothing is known of before an operand.</summary>
    private static void Wobble(ModelProto model, string operand)
    {
        model.Graph.Input.Single(input =>
            input.Name == operand).Type.TensorType.Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 3 } } };
        model.Graph.Node.Single(node => node.OpType == "GroupQueryAttention").Input[3] = "wobbled";
        model.Graph.Node.Insert(0, new NodeProto
        {
            Name = "wobbled", OpType = "Wobble", Domain = "my", Input = { operand }, Output = { "wobbled" },
        });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "my", Version = 1 });
    }

    private static (long Heads, long Groups) NumbersOfHeads(Network network)
    {
        var node = network.Nodes.Single(node => node.Operator == "GroupQueryAttention");
        return (node.Int("num_heads", 0), node.Int("kv_num_heads", 0));
    }

    private Network Compare(Network network, int steps, int past, PruningGroup[] groups)
    {
        List<ZooInput> inputs = [new("x", ["N", $"{steps}", "12"], "float", [])];
        foreach (var input in network.Inputs.Where(input => input.Name.StartsWith("past", StringComparison.Ordinal)))
        {
            inputs.Add(new(input.Name, ["N", $"{input.Shape[1]}", $"{past}", $"{Size}"], "float", []));
        }

        RemovalExactnessTests.Compare(new("grouped", Path.Combine(_folder, "model.onnx"), [.. inputs], ["y"], true), network, groups);
        return network.Remove(groups);
    }

    /// <summary>Queries of eight heads that share keys and values of four, between layers; the number of steps is told by constants.</summary>
    private static ModelProto Grouped(bool packed, int steps, int past, bool rotated = false, int groups = Groups)
    {
        string[] memory = past > 0 ? ["past_k", "past_v"] : ["", ""];
        var model = packed
            ? Model(Op("MatMul", ["x", "wqkv"], ["qkv"]), Attention(["qkv", "", "", .. memory, "lengths", "total"]))
            : Model(
                Op("MatMul", ["x", "wq"], ["q"]), Op("MatMul", ["x", "wk"], ["k"]), Op("MatMul", ["x", "wv"], ["v"]),
                Attention(["q", "k", "v", .. memory, "lengths", "total"]));
        model.Graph.Node.AddRange([Op("MatMul", ["a", "o"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "w"], ["y"])]);
        foreach (var node in model.Graph.Node)
        {
            node.Name = node.Output[0];
        }

        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        model.Graph.Input[0] = Value("x", steps, 12);
        model.Graph.Output[0] = Value("y", steps, 6);
        model.Graph.Initializer.AddRange(packed ? [Weight("wqkv", 1, [12, (Heads + (2 * groups)) * Size])]
            : [Weight("wq", 1, [12, Width]), Weight("wk", 2, [12, groups * Size]), Weight("wv", 3, [12, groups * Size])]);
        model.Graph.Initializer.AddRange([
            Weight("o", 4, [Width, 10]), Weight("w", 5, [10, 6]),
            OnnxTensor.FromLongs("lengths", [ZooModel.Batch], [.. Enumerable.Repeat(past + steps - 1L, ZooModel.Batch)], DataType.Int32),
            OnnxTensor.FromLongs("total", [], [past + steps], DataType.Int32)]);
        if (past > 0)
        {
            model.Graph.Input.AddRange([Value("past_k", groups, past, Size), Value("past_v", groups, past, Size)]);
            model.Graph.Output.AddRange([Output("keys"), Output("values")]);
        }

        if (rotated)
        {
            var attention = model.Graph.Node.Single(node => node.OpType == "GroupQueryAttention");
            attention.Input.AddRange(["cos", "sin"]);
            attention.Attribute.Add(OnnxAttributes.ToProto("do_rotary", 1L));
            model.Graph.Initializer.AddRange([Weight("cos", 6, [16, Size / 2]), Weight("sin", 7, [16, Size / 2])]);
        }

        return model;

        NodeProto Attention(string[] inputs)
        {
            var node = Op("GroupQueryAttention", inputs, ["a", "keys", "values"], ("num_heads", (long)Heads), ("kv_num_heads", (long)groups));
            node.Domain = "com.microsoft";
            return node;
        }
    }

    private static ValueInfoProto Output(string name) => new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)TensorType.Float } } };

    private static void Open(ModelProto model, string input, int dimension, string size)
        => model.Graph.Input.Single(value => value.Name == input).Type.TensorType.Shape.Dim[dimension] = new() { DimParam = size };

    private Network Read(ModelProto model)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return Network.FromOnnx(path);
    }
}
