namespace MLNet.Pruning.Tests.Compression.Factorization;

/// <summary>At full rank the layers in its place compute what a layer did, in ONNX Runtime, whatever its form.</summary>
[TestClass]
public class FactorizedFormsTests
{
    private const int Rows = 5;

    public static IEnumerable<object[]> Dense =>
    [
        Case("outputs x inputs", [7], SmallNetworks.Node("fc", "Gemm", ["x", "w", "b"], "y", ("transB", 1L)), ("w", [5, 7]), ("b", [5])),
        Case("inputs x outputs", [7], SmallNetworks.Node("fc", "Gemm", ["x", "w", "b"], "y"), ("w", [7, 5]), ("b", [5])),
        Case("more outputs than inputs", [4], SmallNetworks.Node("fc", "Gemm", ["x", "w", "b"], "y", ("transB", 1L)), ("w", [9, 4]), ("b", [9])),
        Case("without bias", [7], SmallNetworks.Node("fc", "Gemm", ["x", "w"], "y", ("transB", 1L)), ("w", [5, 7])),
        Case("scaled", [7], SmallNetworks.Node("fc", "Gemm", ["x", "w", "b"], "y", ("transB", 1L), ("alpha", 0.5f), ("beta", -2f)), ("w", [5, 7]), ("b", [5])),
        Case("a bias for all", [7], SmallNetworks.Node("fc", "Gemm", ["x", "w", "b"], "y", ("alpha", 3f), ("beta", 2f)), ("w", [7, 5]), ("b", [1])),
        Case("product", [7], SmallNetworks.Node("fc", "MatMul", ["x", "w"], "y"), ("w", [7, 5])),
        Case("product over steps", [3, 7], SmallNetworks.Node("fc", "MatMul", ["x", "w"], "y"), ("w", [7, 12])),
        Case("product over heads", [2, 3, 7], SmallNetworks.Node("fc", "MatMul", ["x", "w"], "y"), ("w", [7, 6])),
        Case("from the left", [6, 3], SmallNetworks.Node("fc", "MatMul", ["w", "x"], "y"), ("w", [4, 6])),
    ];

    public static IEnumerable<object[]> Convolutions =>
    [
        Case("plain", [4, 7, 6], Conv(("kernel_shape", new long[] { 3, 3 })), ("w", [6, 4, 3, 3]), ("b", [6])),
        Case("without bias or attributes", [4, 7, 6], SmallNetworks.Node("conv", "Conv", ["x", "w"], "y"), ("w", [6, 4, 3, 3])),
        Case("strides and one-sided padding", [4, 9, 8], Conv(("strides", new long[] { 2, 3 }), ("pads", new long[] { 0, 1, 2, 1 })), ("w", [3, 4, 3, 2]),
            ("b", [3])),
        Case("dilated", [3, 11, 12], Conv(("dilations", new long[] { 2, 3 }), ("pads", new long[] { 1, 2, 1, 2 })), ("w", [8, 3, 3, 3]), ("b", [8])),
        Case("of one column", [3, 9, 9], Conv(), ("w", [5, 3, 5, 1]), ("b", [5])),
        Case("of one dimension", [5, 12], Conv(("strides", new long[] { 2 }), ("pads", new long[] { 2, 1 })), ("w", [7, 5, 4]), ("b", [7])),
        Case("of three dimensions", [2, 6, 5, 4], Conv(("strides", new long[] { 2, 1, 1 }), ("pads", new long[] { 1, 1, 1, 1, 1, 1 })),
            ("w", [6, 2, 3, 3, 2]), ("b", [6])),
        Case("of one position", [6, 5, 5], Conv(("strides", new long[] { 2, 2 })), ("w", [4, 6, 1, 1]), ("b", [4])),
    ];

    public static IEnumerable<object[]> All => Dense.Concat(Convolutions);

    [TestMethod]
    [DynamicData(nameof(All))]
    public void Of_full_rank_two_layers_are_the_layer(string name, Network network)
    {
        foreach (var factorizer in new[] { Factorizer.Svd, Factorizer.DataAwareSvd, Factorizer.Pca })
        {
            Same($"{name}, {factorizer}", network, factorizer);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Convolutions))]
    public void Of_full_rank_mixed_and_separate_kernels_are_the_layer(string name, Network network)
    {
        if (network["w"].Shape.Skip(2).All(size => size == 1))
        {
            Assert.Contains("one position", Assert.ThrowsExactly<ArgumentException>(() => network.Factorize(Factorizer.Tucker2, Rank.Energy(1))).Message);
            return;
        }

        Same($"{name}, Tucker-2", network, Factorizer.Tucker2);
        if (network["w"].Shape is [_, _, > 1, > 1])
        {
            Same($"{name}, spatial", network, Factorizer.SpatialSvd);
        }
        else
        {
            Assert.Contains("two dimensions", Assert.ThrowsExactly<ArgumentException>(() => network.Factorize(Factorizer.SpatialSvd, Rank.Energy(1))).Message);
        }
    }

    [TestMethod]
    public void A_table_that_is_looked_up_is_a_smaller_table_and_a_product()
    {
        var network = new Network(new() { Inputs = [new("ids", [-1, 4]) { Type = TensorType.Int64 }], Outputs = ["y"],
            Nodes = [SmallNetworks.Node("embed", "Gather", ["w", "ids"], "y")],
            Parameters = [new("w", [30, 8], SmallNetworks.Draw(240, 1), true, default)] });
        using var scope = TorchSharp.torch.NewDisposeScope();
        var small = SmallNetworks.At(network, Factorizer.Svd, decomposition => decomposition.Full);
        CollectionAssert.AreEqual(new[] { "Gather", "MatMul" }, small.Nodes.Select(node => node.Operator).ToArray());
        long[] ids = [3, 29, 0, 7, -1, 12, 12, 5];
        Close.AreEqual([.. ids.SelectMany(id => network["w"].Values.Slice((int)((id + 30) % 30) * 8, 8).ToArray())],
            SmallNetworks.Run(small, ids), 1e-5, "rows of the table");
    }

    [TestMethod]
    public void A_table_keeps_the_rows_that_are_looked_up()
    {
        // Ids below 5 alone, whose rows are smaller than all others: by the table itself they would be the first to go.
        var table = SmallNetworks.Draw(40 * 12, 2);
        for (var i = 0; i < 5 * 12; i++)
        {
            table[i] *= 0.1f;
        }

        var network = new Network(new() { Inputs = [new("ids", [-1, 4]) { Type = TensorType.Int64 }], Outputs = ["y"],
            Nodes = [SmallNetworks.Node("embed", "Gather", ["w", "ids"], "y")], Parameters = [new("w", [40, 12], table, true, default)] });
        var random = new Random(1);
        long[] ids = [.. Enumerable.Range(0, 200).Select(_ => (long)random.Next(5))];
        var expected = SmallNetworks.Run(network, ids);
        var aware = network.Factorize(Factorizer.DataAwareSvd, Rank.Fixed(5), Array.ConvertAll(ids, id => (float)id));
        Close.AreEqual(expected, SmallNetworks.Run(aware, ids), 1e-3, "five rows are of rank five");
        Assert.IsGreaterThan(0.1, SmallNetworks.Distance(expected, SmallNetworks.Run(network.Factorize(Factorizer.Svd, Rank.Fixed(5)), ids)));
    }

    private static Node Conv(params (string, object)[] attributes) => SmallNetworks.Node("conv", "Conv", ["x", "w", "b"], "y", attributes);

    private static object[] Case(string name, int[] input, Node node, params (string, int[])[] parameters)
        => [name, SmallNetworks.Of(input, [node], parameters)];

    private static void Same(string name, Network network, Factorizer factorizer)
    {
        var rows = SmallNetworks.Draw(Rows * network.Input.RowSize, 9);
        var small = SmallNetworks.At(network, factorizer, decomposition => decomposition.Full, rows);
        Assert.IsGreaterThan(network.Nodes.Length, small.Nodes.Length, name);
        Close.AreEqual(SmallNetworks.Run(network, rows), SmallNetworks.Run(small, rows), 2e-5, name);
    }
}
