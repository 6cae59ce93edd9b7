using System.Collections.Immutable;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>A graph is analysed once, whatever the weights of the networks on it and however often they are asked.</summary>
[TestClass]
public class GroupsOnceTests
{
    [TestMethod]
    public void Pruning_resnet50_in_ten_steps_analyses_each_new_graph_once_and_computes_what_the_masked_one_does()
    {
        var (model, steps) = (Zoo.Network("resnet50"), new Graphs());
        var network = Network.FromOnnx(model.Path);
        var options = new PruningOptions
        {
            Amount = Amount.Fraction(0.3), Granularity = Granularity.Filter, Schedule = Schedule.Linear(10), FineTuneEpochs = 0, Importance = steps,
            Alignment = 1,
        };
        var before = NetworkStructure.Analyses;
        var pruned = network.Prune(options, out var report);
        Assert.HasCount(10, report.Steps);
        var graphs = steps.Seen.Append(pruned.Network.Graph).ToArray();
        Assert.HasCount(11, graphs.Distinct().ToArray(), "the first and one for each step");
        Assert.AreEqual(11, NetworkStructure.Analyses - before);

        var folder = Directory.CreateTempSubdirectory("once");
        try
        {
            var (masked, removed) = (Path.Combine(folder.FullName, "masked.onnx"), Path.Combine(folder.FullName, "removed.onnx"));
            MaskedOriginal.Of(pruned.Network, network).Network.SaveOnnx(masked);
            pruned.Network.SaveOnnx(removed);
            var inputs = model.Draw(seed: 3);
            var (expected, actual) = (Reference.Run(masked, inputs).Single().Value.Values, Reference.Run(removed, inputs).Single().Value.Values);
            Assert.IsGreaterThan(1e-3f, expected.Max(Math.Abs), "near zero it would prove nothing");
            Assert.IsLessThanOrEqualTo(1e-4, expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max() / expected.Max(Math.Abs));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void A_network_pruned_once_is_analysed_and_the_smaller_one_only_when_its_groups_are_requested()
    {
        var network = Network.Mlp(8, 64, 48, 3).Initialize(1);
        var before = NetworkStructure.Analyses;
        var pruned = network.Prune(new SelectionOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit, Alignment = 16 });
        Assert.AreEqual(1, NetworkStructure.Analyses - before);
        Assert.HasCount(pruned.Network["fc1.bias"].Count + pruned.Network["fc2.bias"].Count, pruned.Network.Groups());
        Assert.AreEqual(2, NetworkStructure.Analyses - before);
    }

    [TestMethod]
    public void Groups_hold_for_every_network_of_the_graph_and_are_of_its_weights()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        var groups = network.Groups();
        var other = network.With("fc1.bias", [1, 2, 3]);
        Assert.AreSame(groups, other.Groups(new()));
        Assert.AreNotSame(groups, other.Groups(new() { WholeHeads = false }));
        CollectionAssert.AreEqual(new float[] { 1, 3 }, other.Remove([groups[1]])["fc1.bias"].Values.ToArray());
        CollectionAssert.AreEqual(new float[] { 1, 0, 3 }, other.Mask([groups[1]])["fc1.bias"].Values.ToArray());
    }

    [TestMethod]
    public void Threads_that_ask_at_the_same_time_get_the_same_groups()
    {
        var network = Network.FromOnnx(Zoo.Network("mobilenet_v2").Path);
        var found = new NetworkStructure[8];
        using var together = new Barrier(found.Length);
        var threads = found.Select((_, i) => new Thread(() =>
        {
            together.SignalAndWait();
            found[i] = network.Groups();
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.IsTrue(found.All(groups => ReferenceEquals(groups, found[0])));
    }

    [TestMethod]
    public void Groups_go_by_the_sign_of_an_exponent_and_are_found_anew_when_it_changes()
    {
        var network = Power(2);
        var squared = network.Groups();
        Assert.HasCount(3, squared);
        var inverse = network.With("power", [-1]);
        Assert.AreSame(network.Graph, inverse.Graph);
        Assert.IsEmpty(inverse.Groups());
        StringAssert.Contains(string.Join('\n', inverse.Groups().Reasons()), "exponents below zero");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => inverse.Remove([squared[0]])).Message, "belongs to another network");
        Assert.IsEmpty(network.With("power", [0]).Groups());
        Assert.IsEmpty(network.With("power", [float.NaN]).Groups());
        Assert.AreSame(squared, network.With("power", [3]).Groups(), "of the same sign");
        Assert.AreSame(squared, network.Groups());
    }

    /// <summary>Three neurons, each to a power, and a sum.</summary>
    private static Network Power(float exponent) => new(new TensorInfo("x", [TensorInfo.Batch, 2]), "y",
        [new("first", "Gemm", ["x", "w"], ["a"]), new("pow", "Pow", ["a", "power"], ["b"]), new("second", "Gemm", ["b", "v"], ["y"])],
        [Weight("w", [2, 3], [1, 2, 3, 4, 5, 6], true), Weight("power", [1], [exponent], false), Weight("v", [3, 1], [1, 2, 3], true)]);

    private static Parameter Weight(string name, ImmutableArray<int> shape, float[] values, bool trainable)
        => new(name, shape, values, trainable, Initializer.Zero);

    /// <summary>Magnitude that remembers the graphs it was measured on.</summary>
    private sealed class Graphs : Importance
    {
        public List<NetworkGraph> Seen { get; } = [];

        protected override ImportanceScores MeasureCore(ImportanceContext context)
        {
            Seen.Add(context.Network.Graph);
            return L1.Measure(context);
        }
    }
}
