using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;
using MLNet.Pruning.Tests.Scoring;
using MLNet.Pruning.Tests.Structure;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks;

/// <summary>Networks whose sizes are open until they run: the length of a sequence, by which tables are cut.</summary>
[TestClass]
public class OpenSizesTests
{
    [TestMethod]
    [DataRow("posemb_slice", 32, 64)]
    [DataRow("rope_only", 32, 4, 64)]
    public void Behind_a_table_cut_by_the_length_groups_go_exactly_at_any_length(string name, params int[] widths)
    {
        var path = Case.File(name);
        var network = Network.FromOnnx(path);
        var structure = network.Groups();
        CollectionAssert.AreEqual(widths, structure.Families.Select(family => family.Groups.Length).ToArray(), structure.ToString());
        foreach (var length in new[] { 1, 4, 9 })
        {
            var model = Model(name, path, length);
            OnnxRuntimeTests.Compare(model, ZooModel.Batch);
            RemovalExactnessTests.Compare(model, network, [.. structure.Where(group => group.Number % 2 == 1)]);
        }
    }

    [TestMethod]
    public void Multiply_adds_name_the_sizes_that_they_depend_on()
    {
        var total = NetworkCost.Of(Network.FromOnnx(Case.File("posemb_slice"))).Total;
        Assert.IsNull(total.MultiplyAdds);
        Assert.AreEqual("4,192 time", total.MultiplyAddsFormula);
        Assert.AreEqual("8,480 time + 64 time^2", NetworkCost.Of(Network.FromOnnx(Case.File("rope_only"))).Total.MultiplyAddsFormula);

        // Six layers' worth of weights at each step, and two products of 4 heads of 8 values for each pair of steps.
        var closed = NetworkCost.Of(Network.FromOnnx(Case.File("rope_only"), new Dictionary<string, int> { ["time"] = 10 })).Total;
        Assert.AreEqual((8_480L * 10 + 64 * 100, "91,200"), (closed.MultiplyAdds!.Value, closed.MultiplyAddsFormula));
        var refused = Assert.ThrowsExactly<InvalidOperationException>(() =>
            Network.FromOnnx(Case.File("rope_only")).Prune(new PruningOptions { Granularity = Granularity.Unit, Amount = Amount.MultiplyAdds(0.5) }));
        StringAssert.Contains(refused.Message, "8,480 time + 64 time^2");
        Assert.AreEqual("?", NetworkCost.Of(Network.FromOnnx(Zoo.Operator("custom_domain").Path)).Layers
            .Single(layer => layer.Operator == "Wobble").MultiplyAddsFormula);
    }

    [TestMethod]
    public void Sizes_are_given_by_name()
    {
        var path = Case.File("rope_only");
        var network = Network.FromOnnx(path, new Dictionary<string, int> { ["time"] = 5, ["N"] = 2 });
        CollectionAssert.AreEqual(new[] { 2, 5, 6 }, network.Input.Shape.ToArray());
        CollectionAssert.AreEqual(new[] { 2, 5, 3 }, network.Output.Shape.ToArray());
        var written = Path.Combine(Path.GetTempPath(), $"sizes-{Guid.NewGuid():N}.onnx");
        try
        {
            network.SaveOnnx(written);
            var inputs = new ZooModel("sizes", written, [new("x", ["2", "5", "6"], "float", [])], ["y"], true).Draw(3);
            var (expected, actual) = (Reference.Run(path, inputs)["y"].Values, Reference.Run(written, inputs)["y"].Values);
            Close.AreEqual(expected, actual, 1e-5, "the network of fixed sizes");
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
                Network.FromOnnx(written, new Dictionary<string, int> { ["time"] = 5 })).Message, "all its sizes are fixed");
        }
        finally
        {
            File.Delete(written);
        }

        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Network.FromOnnx(path, new Dictionary<string, int> { ["steps"] = 5 })).Message,
            "rope_only.onnx has no open dimension 'steps'; those it leaves open: batch, time");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Network.FromOnnx(path, new Dictionary<string, int> { ["time"] = 0 })).Message,
            "'time' of rope_only.onnx is 0");
    }

    [TestMethod]
    [DataRow("Slice")]
    [DataRow("Expand")]
    [DataRow("Reshape")]
    [DataRow("Tile")]
    [DataRow("Pad")]
    [DataRow("Split")]
    [DataRow("ReduceSum")]
    [DataRow("TopK")]
    public void Rank_and_sizes_that_do_not_depend_on_computed_values_are_kept(string @operator)
    {
        var (operands, output, expected) = @operator switch
        {
            // Rows up to a number that the network reads, of a table of 8 x 6; the columns stay.
            "Slice" => (new[] { "table", "zero", "number", "zero" }, "y", new[] { -1, 6 }),
            "Expand" => (["table", "three"], "y", [-1, 8, 6]),
            "Reshape" => (["table", "two"], "y", [-1, -1]),
            "Tile" => (["table", "two"], "y", [-1, -1]),
            "Pad" => (["table", "four"], "y", [-1, -1]),
            "Split" => (["table", "two"], "y", [-1, 6]),
            "ReduceSum" => (["table", "number"], "y", [-1, -1]),
            _ => (["table", "number"], "y", [8, -1]),
        };
        var graph = new GraphProto { Name = "computed" };
        foreach (var (name, count) in new[] { ("number", 1), ("two", 2), ("three", 3), ("four", 4) })
        {
            graph.Input.Add(new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Int64,
                Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimValue = count } } } } } });
        }

        graph.Initializer.Add(OnnxTensor.FromFloats("table", [8, 6], [.. Enumerable.Range(0, 48).Select(i => i / 7f)]));
        graph.Initializer.Add(OnnxTensor.FromLongs("zero", [1], [0]));
        var node = new NodeProto { Name = "node", OpType = @operator, Input = { operands }, Output = { output } };
        if (@operator is "Split" or "TopK")
        {
            node.Output.Add("other");
        }

        graph.Node.Add(node);
        graph.Output.Add(new ValueInfoProto { Name = output, Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } });
        var path = Path.Combine(Path.GetTempPath(), $"computed-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = graph }, path);
            CollectionAssert.AreEqual(expected, Network.FromOnnx(path).Output.Shape.Select(size => Math.Max(size, -1)).ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ZooModel Model(string name, string path, int length) => name == "rope_only"
        ? new(name, path, [new("x", ["N", $"{length}", "6"], "float", [])], ["y"], true)
        : new(name, path, [new("x", ["N", $"{length}"], "int64", [0, 40])], ["y"], true);
}
