using MLNet.Pruning.Scoring.Profiling;

namespace MLNet.Pruning.Tests.Scoring.Profiling;

/// <summary>Where ONNX Runtime says that the time goes, against how much there is to compute, and which nodes it says it of.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class OnnxProfileTests
{
    /// <summary>Three layers of which the second multiplies a hundred times as much as the others together, and is fused with what follows it.</summary>
    private static readonly Network s_network = Network.Sequential([4, 32, 32], Layer.Conv2d(4, 1, name: "narrow"), Layer.Relu(),
        Layer.Conv2d(64, 5, padding: 2, name: "wide"), Layer.BatchNorm(name: "norm"), Layer.Relu(name: "active"), Layer.GlobalAveragePool(), Layer.Flatten(),
        Layer.Dense(10, name: "dense")).Initialize(1);

    [TestMethod]
    public void The_layer_that_multiplies_most_takes_most_and_nodes_take_no_more_than_the_run()
    {
        var profile = OnnxProfile.Of(s_network, 1, 1, CancellationToken.None);
        double Time(string node) => profile.Kernels.Where(kernel => kernel.Covers.Any(covered => covered.Name == node)).Sum(kernel => kernel.Milliseconds);
        Assert.IsGreaterThan(10 * Time("narrow"), Time("wide"));
        Assert.IsGreaterThan(0.6 * profile.Milliseconds, Time("wide"));
        Assert.IsLessThan(1.2 * profile.Milliseconds, profile.Kernels.Sum(kernel => kernel.Milliseconds));
    }

    [TestMethod]
    public void Every_node_of_the_network_is_covered_and_none_by_two_layers()
    {
        var profile = OnnxProfile.Of(s_network, 1, 1, CancellationToken.None);
        CollectionAssert.AreEquivalent(s_network.Nodes.Select(node => node.Name).ToArray(),
            profile.Kernels.SelectMany(kernel => kernel.Covers).Select(node => node.Name).Distinct().ToArray());
        // Whatever the layout, the convolution is computed with what it was fused with, and by itself alone.
        var wide = profile.Kernels.Where(kernel => kernel.Node.OpType.EndsWith("Conv", StringComparison.Ordinal)).Single(kernel
            => kernel.Covers.Any(node => node.Name == "wide"));
        CollectionAssert.AreEquivalent(new[] { "wide", "norm", "active" }, wide.Covers.Select(node => node.Name).ToArray());
    }

    [TestMethod]
    public void What_the_profile_itself_takes_is_not_the_networks()
    {
        // Sixteen nodes that do next to nothing: what profiling a node costs would be most of the run.
        var idle = Network.Sequential([1], [.. Enumerable.Range(0, 16).Select(i => i % 2 == 0 ? Layer.Tanh() : Layer.Sigmoid())]);
        var profile = OnnxProfile.Of(idle, 1, 1, CancellationToken.None);
        Assert.IsLessThan(profile.Milliseconds, profile.Kernels.Sum(kernel => kernel.Milliseconds));
    }

    [TestMethod]
    public void Nothing_is_left_in_the_temporary_folder_even_where_it_fails()
    {
        var before = Folders();
        OnnxProfile.Of(Network.Mlp(3, 2).Initialize(1), 1, 1, CancellationToken.None);
        Assert.ThrowsExactly<OperationCanceledException>(() => OnnxProfile.Of(s_network, 1, 1, new(canceled: true)));
        // Those of tests that run meanwhile go too.
        var made = Folders().Except(before).ToArray();
        Assert.IsTrue(SpinWait.SpinUntil(() => !made.Any(Directory.Exists), TimeSpan.FromSeconds(30)), string.Join(", ", made));
    }

    private static string[] Folders() => Directory.GetDirectories(Path.GetTempPath(), "MLNet.Pruning.*");
}
