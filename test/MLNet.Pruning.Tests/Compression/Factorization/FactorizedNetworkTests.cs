using MLNet.Pruning.Compression.Factorization;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Factorization;

/// <summary>Networks people use, taken apart: what ONNX Runtime computes of the file, and what is left as it was.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class FactorizedNetworkTests
{
    /// <summary>Layers beyond that are left out: their singular values take long.</summary>
    private const int Most = 70_000;

    private static readonly Factorizer s_all = Factorizer.Tucker2 + Factorizer.Svd;

    public static IEnumerable<object[]> Networks => Zoo.Networks.Where(name => Zoo.Network(name).Runs).Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void At_full_rank_a_network_computes_what_it_did(string name)
    {
        var model = Zoo.Network(name);
        var network = Network.FromOnnx(model.Path);
        using var scope = NewDisposeScope();
        var layers = FactorizableLayer.Candidates(network).Where(candidate => candidate.Weight.Count <= Most)
            .Select(candidate => FactorizableLayer.Of(network, candidate.Layer, candidate.Weight, out _)).OfType<FactorizableLayer>().ToArray();
        if (layers.Length == 0)
        {
            return;
        }

        var small = FactorizedGraph.Write(network, [.. FactorizationPlan.Decompose(network, s_all, layers, new()).Select(layer =>
            (layer, layer.Decomposition.Full, (Factors?)layer.Factors(layer.Decomposition.Full, default)))], out _);
        var path = Path.GetTempFileName();
        small.SaveOnnx(path);
        // A file that fixes its batch runs at that size.
        var inputs = model.Draw(5, network.Input.Shape is [> 0 and var batch, ..] ? batch : ZooModel.Batch);
        var (before, after) = (Reference.Run(model.Path, inputs), Reference.Run(path, inputs));
        File.Delete(path);
        foreach (var output in model.Outputs)
        {
            var largest = before[output].Values.Max(Math.Abs);
            Close.AreEqual(Array.ConvertAll(before[output].Values, value => value / largest), Array.ConvertAll(after[output].Values, value => value / largest),
                1e-3, $"{name} {output}");
        }
    }

    [TestMethod]
    public void Layers_that_share_a_weight_share_its_factors()
    {
        var network = SmallNetworks.Of([8], [SmallNetworks.Node("a", "Gemm", ["x", "w", "b"], "h", ("transB", 1L)),
            SmallNetworks.Node("act", "Relu", ["h"], "r"),
            SmallNetworks.Node("b", "Gemm", ["r", "w"], "y", ("transB", 1L), ("alpha", 2f))], ("w", [8, 8]), ("b", [8]));
        var rows = SmallNetworks.Draw(6 * 8, 3);
        foreach (var factorizer in new[] { Factorizer.Svd, Factorizer.DataAwareSvd, Factorizer.Pca })
        {
            var full = SmallNetworks.At(network, factorizer, decomposition => decomposition.Full, rows);
            Close.AreEqual(SmallNetworks.Run(network, rows), SmallNetworks.Run(full, rows), 1e-4, factorizer.ToString()!);
            var small = network.Factorize(new() { Factorizer = factorizer, Rank = Rank.Fixed(2) }, out var layers, rows);
            CollectionAssert.AreEqual(new[] { "a.1", "a.2", "act", "b.1", "b.2" }, small.Nodes.Select(node => node.Name).ToArray());
            Assert.AreEqual(small.Nodes[0].Inputs[1], small.Nodes[3].Inputs[1]);
            Assert.AreEqual(32, layers.Single().ParametersAfter - (factorizer == Factorizer.Pca ? 8 : 0));
            // The second has no bias of its own to take the mean.
            Assert.AreEqual(32 + 8 + (factorizer == Factorizer.Pca ? 8 : 0), small.ParameterCount);
        }
    }

    [TestMethod]
    public void What_is_read_otherwise_elsewhere_stays_and_says_by_whom()
    {
        // An embedding that is the output layer too, a kernel of groups, a recurrent layer, and a weight that is read transposed.
        var tied = new Network(new() { Inputs = [new("ids", [-1, 4]) { Type = TensorType.Int64 }], Outputs = ["y"],
            Nodes = [SmallNetworks.Node("embed", "Gather", ["w", "ids"], "e"), SmallNetworks.Node("turn", "Transpose", ["w"], "t"),
                SmallNetworks.Node("out", "MatMul", ["e", "t"], "y")],
            Parameters = [new("w", [30, 8], SmallNetworks.Draw(240, 1), true, default)] });
        Assert.Contains("'turn' (Transpose)", Refused(tied, Factorizer.Svd));
        var grouped = Network.Sequential([4, 6, 6], Layer.Conv2d(8, 3, groups: 2)).Initialize(1);
        Assert.Contains("2 groups that do not mix", Refused(grouped, Factorizer.Tucker2 + Factorizer.Svd));
        Assert.Contains("LSTM is not factorised", Refused(Network.FromOnnx(Zoo.Network("lstm").Path), Factorizer.Tucker2, "LSTM"));
        var twice = SmallNetworks.Of([6], [SmallNetworks.Node("fc", "Gemm", ["x", "w", "w"], "y", ("transB", 1L))], ("w", [6, 6]));
        Assert.Contains("more than once", Refused(twice, Factorizer.Svd));
    }

    [TestMethod]
    public void A_weight_of_zeros_is_of_rank_one_or_stays()
    {
        var dense = Network.Mlp(8, 12, 4).Initialize(1).With("fc1.weight", new float[96]);
        var image = Network.Sequential([4, 6, 6], Layer.Conv2d(8, 3)).Initialize(1).With("conv1.weight", new float[288]);
        foreach (var (network, factorizer) in new[] { (dense, Factorizer.Svd), (dense, Factorizer.NonNegative()), (image, Factorizer.Svd),
            (image, Factorizer.Tucker2), (image, Factorizer.Cp()), (image, Factorizer.SpatialSvd) })
        {
            var rows = SmallNetworks.Draw(2 * network.Input.RowSize, 1);
            foreach (var rank in new[] { Rank.Fixed(2), Rank.Energy(0.9), Rank.Vbmf })
            {
                var small = network.Factorize(factorizer, rank, scope: Scope.Network.Only(network == image ? "conv1" : "fc1"));
                Close.AreEqual(SmallNetworks.Run(network, rows), SmallNetworks.Run(small, rows), 1e-6, $"{factorizer} {rank}");
            }
        }
    }

    /// <summary>Not beside other tests: the count is the whole process's.</summary>
    [TestMethod, DoNotParallelize]
    public void Nothing_that_is_native_stays_behind()
    {
        var network = Network.Sequential([3, 8, 8], Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(10)).Initialize(1);
        var rows = SmallNetworks.Draw(20 * network.Input.RowSize, 1);
        var factorizer = Factorizer.Cp(20) + Factorizer.Pca;
        network.Factorize(factorizer, Rank.Fraction(0.3), rows);
        var before = Tensor.TotalCount;
        for (var i = 0; i < 5; i++)
        {
            network.Factorize(factorizer, Rank.Within(Budget.Parameters(1500)), rows);
        }

        // Parameters that are made for the rows are counted twice on, and once off.
        Assert.IsLessThanOrEqualTo(5 * network.Parameters.Length, Tensor.TotalCount - before);
    }

    private static string Refused(Network network, Factorizer factorizer, string? only = null)
    {
        try
        {
            network.Factorize(new() { Factorizer = factorizer, Rank = Rank.Fraction(0.2) }, out var layers);
            return string.Join('\n', layers.Where(layer => layer.Reason?.Contains(only ?? "", StringComparison.Ordinal) == true));
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
