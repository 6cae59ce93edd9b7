using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Tests.Structure;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;

namespace MLNet.Pruning.Tests.Compression.Structure;

/// <summary>One head of keys and values that all queries share, as exporters write it, and products with vectors: what goes, and why the rest stays.</summary>
[TestClass]
public class SharedHeadTests
{
    private const int Heads = 4;
    private const int Size = 6;
    private const int Steps = 5;

    private readonly string _folder = Directory.CreateTempSubdirectory("shared").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("Expand")]
    [DataRow("Tile")]
    [DataRow("broadcast")]
    public void Heads_of_queries_that_share_keys_and_values_go_one_by_one(string form)
    {
        var network = Read(OneHead(form));
        var structure = network.Groups();
        Assert.HasCount(Heads, structure.Where(group => group.Kind == StructureKind.Head), structure.ToString());
        var reasons = structure.Reasons().ToArray();
        foreach (var weight in new[] { "wk", "wv" })
        {
            Assert.IsTrue(structure.Any(group => group.Members.Any(member => member.Parameter == weight))
                || reasons.Any(reason => reason.StartsWith(weight + " ", StringComparison.Ordinal)),
                $"{weight} goes, or it is said why not: {structure}");
        }

        var zoo = new ZooModel(form, Path.Combine(_folder, "model.onnx"), [new("x", ["N", $"{Steps}", "12"], "float", [])], ["y"], true);
        RemovalExactnessTests.Compare(zoo, network, [.. structure.Where((group, i) => group.Kind == StructureKind.Head && i % 2 == 0)]);
        RemovalExactnessTests.Compare(zoo, network, [.. structure.Where((_, i) => i % 3 == 1)]);
    }

    [TestMethod]
    [DataRow("Expand")]
    [DataRow("Tile")]
    public void Repetition_known_only_when_the_network_runs_is_the_reason(string form)
    {
        var model = OneHead(form);
        var input = form == "Expand" ? "expanded" : "times";
        model.Graph.Initializer.Remove(model.Graph.Initializer.Single(tensor => tensor.Name == input));
        model.Graph.Input.Add(new ValueInfoProto
        {
            Name = input, Type = new() { TensorType = new() { ElemType = (int)TensorType.Int64,
                Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 4 } } } } },
        });
        var reasons = string.Join('\n', Read(model).Groups().Reasons());
        StringAssert.Contains(reasons, "wk (MatMul");
        StringAssert.Contains(reasons, "known only when the network runs");
    }

    [TestMethod]
    public void What_a_vector_multiplies_shrinks_and_is_counted()
    {
        // Scores of steps by one vector, and a weighted sum of steps by another.
        var model = Model(
            Op("MatMul", ["x", "w1"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "v"], ["scores"]), Op("MatMul", ["u", "r"], ["sum"]),
            Op("MatMul", ["sum", "w2"], ["s"]), Op("Concat", ["s", "scores"], ["y"], ("axis", 1L)));
        model.Graph.Input[0] = Value("x", Steps, 12);
        model.Graph.Output[0] = Value("y", 4 + Steps);
        model.Graph.Initializer.AddRange([Weight("w1", 1, [12, 16]), Weight("v", 2, [16]), Weight("u", 3, [Steps]), Weight("w2", 4, [16, 4])]);
        var network = Read(model);
        Assert.AreEqual((Steps * 12 * 16) + (Steps * 16) + (Steps * 16) + (16 * 4), NetworkCost.Of(network).Total.MultiplyAdds);
        var structure = network.Groups();
        Assert.HasCount(16, structure, structure.ToString());
        var zoo = new ZooModel("vectors", Path.Combine(_folder, "model.onnx"), [new("x", ["N", $"{Steps}", "12"], "float", [])], ["y"], true);
        RemovalExactnessTests.Compare(zoo, network, [.. structure.Where((_, i) => i % 2 == 0)]);
        Assert.AreEqual(8, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Unit).Network["v"].Count);
    }

    /// <summary>Attention of four heads of queries over one of keys and values.</summary>
    private static ModelProto OneHead(string form)
    {
        NodeProto[] Shared(string name) => form switch
        {
            "Expand" => [Op("Expand", [name + "_one", "expanded"], [name + "_heads"])],
            "Tile" => [Op("Tile", [name + "_one", "times"], [name + "_heads"])],
            _ => [Op("Identity", [name + "_one"], [name + "_heads"])],
        };
        var model = Model([
            Op("MatMul", ["x", "wq"], ["q"]), Op("MatMul", ["x", "wk"], ["k"]), Op("MatMul", ["x", "wv"], ["v"]),
            Op("Reshape", ["q", "split"], ["q_split"]), Op("Transpose", ["q_split"], ["q_heads"], ("perm", new long[] { 0, 2, 1, 3 })),
            Op("Unsqueeze", ["k", "one"], ["k_one"]), Op("Unsqueeze", ["v", "one"], ["v_one"]), .. Shared("k"), .. Shared("v"),
            Op("Transpose", ["k_heads"], ["kt"], ("perm", new long[] { 0, 1, 3, 2 })), Op("MatMul", ["q_heads", "kt"], ["scores"]),
            Op("Softmax", ["scores"], ["shares"]),
            Op("MatMul", ["shares", "v_heads"], ["mixed"]), Op("Transpose", ["mixed"], ["back"], ("perm", new long[] { 0, 2, 1, 3 })),
            Op("Reshape", ["back", "merged"], ["m"]), Op("MatMul", ["m", "o"], ["y"])]);
        model.Graph.Input[0] = Value("x", Steps, 12);
        model.Graph.Output[0] = Value("y", Steps, 6);
        model.Graph.Initializer.AddRange([
            Weight("wq", 1, [12, Heads * Size]), Weight("wk", 2, [12, Size]), Weight("wv", 3, [12, Size]), Weight("o", 4, [Heads * Size, 6]),
            OnnxTensor.FromLongs("split", [4], [0, Steps, Heads, Size]), OnnxTensor.FromLongs("merged", [3], [0, Steps, Heads * Size]),
            OnnxTensor.FromLongs("one", [1], [1]),
            OnnxTensor.FromLongs("expanded", [4], [1, Heads, 1, 1]), OnnxTensor.FromLongs("times", [4], [1, Heads, 1, 1])]);
        return model;
    }

    private Network Read(ModelProto model)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return Network.FromOnnx(path);
    }
}
