using MLNet.Pruning.Scoring.Runtimes;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>
/// Pruning to a time: by times that are computed, so that all 64 networks of a small search are known; and by the clock, with limits far from both ends.
/// </summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class LatencyBudgetTests
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public static IEnumerable<object[]> Strategies => SearchStrategyTests.Strategies;

    /// <summary>Errors that are squares with a factor do not lead to every combination: what they lead to is held to near the best.</summary>
    public static IEnumerable<object[]> Bounds => Strategies.Select(strategy => (object[])[strategy[0],
        $"{strategy[0]}".StartsWith(nameof(SearchStrategy.DynamicProgramming), StringComparison.Ordinal) ? 0.05 : 0]);

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    [DynamicData(nameof(Bounds))]
    public void Where_layers_take_what_they_multiply_the_most_accurate_network_in_time_is_found(SearchStrategy strategy, double bound)
    {
        var timer = new Computed(work => 1 + 0.01 * work);
        foreach (var most in new[] { 13.005, 15.005, 17.505 })
        {
            var report = DigitSearch.Prune(Options(Budget.Latency(most), strategy, timer)).GetReport<AutoPruneReport>();
            var best = DigitSearch.All.Where(one => timer.Of(one.Kept) <= most).Max(one => one.Accuracy);
            Assert.AreEqual(best, report.After.Metric, bound + 1e-9, $"{most}\n{report}");
            Assert.AreEqual(timer.Of([.. report.Layers.Select(layer => layer.Kept)]), report.Costs.Single().After, 1e-9);
            Assert.AreEqual(timer.Of([16, 12, 10]), report.Costs.Single().Before, 1e-9);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Where_the_table_is_wrong_wholes_decide(SearchStrategy strategy)
    {
        // Networks whose layers are at different levels take a fifth longer than the table, which is of those at the same, lets expect.
        var timer = new Computed(work => 1 + 0.01 * work) { Uneven = 1.2 };
        const double Most = 15.005;
        var report = DigitSearch.Prune(Options(Budget.Latency(Most), strategy, timer)).GetReport<AutoPruneReport>();
        var kept = report.Layers.Select(layer => layer.Kept).ToArray();
        Assert.IsLessThanOrEqualTo(Most, timer.Of(kept));
        Assert.AreEqual(timer.Of(kept), report.Costs.Single().After, 1e-9);
        var same = DigitSearch.All.Where(one => !timer.IsUneven(one.Kept) && timer.Of(one.Kept) <= Most).Max(one => one.Accuracy);
        Assert.IsGreaterThanOrEqualTo(same, report.After.Metric, "the first candidate has all layers at the same level");
    }

    [TestMethod]
    public void A_network_that_is_too_slow_in_the_end_makes_place_for_a_smaller_one()
    {
        var timer = new Computed(work => 1 + 0.01 * work) { Last = 1.3 };
        const double Most = 15.005;
        var report = DigitSearch.Prune(Options(Budget.Latency(Most), SearchStrategy.Evolutionary(6, 2), timer)).GetReport<AutoPruneReport>();
        var time = timer.Of([.. report.Layers.Select(layer => layer.Kept)]);
        Assert.IsLessThanOrEqualTo(Most, 1.3 * time);
        Assert.AreEqual(1.3 * time, report.Costs.Single().After, 1e-9, "what is told is what was timed in the end");

        var e = Assert.ThrowsExactly<UnreachableBudgetException>(()
            => DigitSearch.Prune(Options(Budget.Latency(Most), SearchStrategy.Evolutionary(6, 2), new Computed(timer.Layer) { Last = 100 })));
        var least = 100 * timer.Of([4, 3, 2]);
        StringAssert.Contains(e.Message, FormattableString.Invariant($"least time that was reached is {least:0.######} milliseconds"));
        Assert.AreEqual(least - Most, e.Missing, 1e-9);
    }

    [TestMethod]
    public void A_time_that_no_network_has_is_refused_with_the_least_and_what_each_layer_takes_of_it()
    {
        var timer = new Computed(work => 1 + 0.01 * work);
        var e = Assert.ThrowsExactly<UnreachableBudgetException>(()
            => DigitSearch.Prune(Options(Budget.LatencyFraction(0.1), SearchStrategy.SensitivityGuided, timer)));
        var (least, dense) = (timer.Of([4, 3, 2]), timer.Of([16, 12, 10]));
        Assert.AreEqual(least - 0.1 * dense, e.Missing, 1e-9);
        Assert.AreEqual("at most 0.1 of the milliseconds before", e.Limit);
        // 64 x 4, 4 x 3, 3 x 2 and 2 x 10 multiply-adds.
        CollectionAssert.AreEqual(new[] { "fc1", "fc4", "fc2", "fc3" }, e.Layers.Select(layer => layer.Layer).ToArray());
        Assert.AreEqual(1 + 2.56, e.Layers[0].Excess, 1e-9);
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_smallest_network_that_is_not_the_fastest_refuses_nothing(SearchStrategy strategy)
    {
        // As where a convolution falls out of the blocked layout: its narrowest form takes longer than the next.
        var timer = new Computed(work => work == 64 * 4 ? 8 : 1 + 0.01 * work);
        const double Most = 13;
        Assert.IsGreaterThan(Most, timer.Of([4, 3, 2]));
        Assert.IsLessThan(Most, timer.Of([8, 6, 5]));
        var report = DigitSearch.Prune(Options(Budget.Latency(Most), strategy, timer)).GetReport<AutoPruneReport>();
        Assert.IsLessThanOrEqualTo(Most, timer.Of([.. report.Layers.Select(layer => layer.Kept)]));
    }

    [TestMethod]
    public void A_share_is_of_the_network_before_its_first_pruning()
    {
        var timer = new Computed(work => 1 + 0.01 * work);
        var ml = new MLContext(1);
        var options = Options(Budget.LatencyFraction(0.7), SearchStrategy.Evolutionary(6, 3), timer);
        var earlier = new PruningOptions { Amount = Amount.Fraction(0.2), Granularity = Granularity.Unit, FineTuneEpochs = 0 };
        var report = DigitSearch.Chain(ml).Append(ml.Transforms.Prune(earlier))
            .Append(ml.Transforms.AutoPrune(options)).Fit(Digits.Load(ml)).LastTransformer.GetReport<AutoPruneReport>();
        var cost = report.Costs.Single();
        Assert.AreEqual(timer.Of([16, 12, 10]), cost.Before, 1e-9);
        Assert.AreEqual(0.7 * cost.Before, cost.Limit!.Value, 1e-9);
        Assert.IsLessThanOrEqualTo(cost.Limit.Value, cost.After);
        Assert.AreEqual("LatencyFraction(0.7, 1)", report.Budget);
    }

    [TestMethod]
    public void Layers_and_all_else_add_up_to_the_whole_at_every_level()
    {
        var timer = new Computed(work => 1 + 0.01 * work);
        var step = DigitSearch.Prune(Options(Budget.Latency(15), SearchStrategy.Evolutionary(2, 1), timer));
        var table = step.GetReport<AutoPruneReport>().LayerTimes!;
        long[][] levels = [[16, 12, 10], [12, 9, 8], [8, 6, 5], [4, 3, 2]];
        foreach (var (level, kept) in levels.Index())
        {
            Assert.AreEqual(timer.Of(kept), table.Layers.Sum(layer => layer.Milliseconds[level]), 1e-9);
            Assert.AreEqual(1 + 0.01 * kept[0] * kept[1], table.Layers.Single(layer => layer.Layer == "fc2").Milliseconds[level], 1e-9);
            Assert.AreEqual(DigitSearch.MultiplyAdds(kept), table.Layers[^1].MultiplyAdds[level]);
        }

        StringAssert.Contains(table.ToString(), "whole");
        StringAssert.Contains(table.ToString(), "100 %");
        var ml = new MLContext(1);
        ml.Compression().Save(step, step.InputSchema, _path);
        Assert.AreEqual(step.Report!.ToString(), ((NeuralNetworkTransformer)ml.Compression().Load(_path, out _)).Report!.ToString());
        StringAssert.Contains(step.Report.ToString(), table.ToString());
    }

    [TestMethod]
    public void Between_two_levels_a_layer_takes_its_share_of_both()
    {
        var table = LatencyTable.Of(1, [Level(100, 8), Level(50, 5), Level(50, 7), Level(10, 2)]);
        static (IReadOnlyDictionary<string, long> Work, NetworkTime Time) Level(long work, double time)
            => (new Dictionary<string, long> { ["fc"] = work }, new NetworkTime(time, ScoringRuntime.OnnxRuntime).Split([("fc", 3), ("relu", 1)]));
        double At(long work) => table.Milliseconds(new Dictionary<string, long> { ["fc"] = work });
        Assert.AreEqual(8, At(100), 1e-12);
        Assert.AreEqual(6, At(50), 1e-12, "the mean of two that multiply as much");
        Assert.AreEqual(7, At(75), 1e-12);
        Assert.AreEqual(4, At(30), 1e-12);
        Assert.AreEqual(2, At(1), 1e-12);
        Assert.AreEqual(8, At(200), 1e-12);
        Assert.AreEqual(0.75 * 8, table.Layers[0].Milliseconds[0], 1e-12);
    }

    [TestMethod]
    public void A_later_run_takes_times_from_the_state_file()
    {
        AutoPruneOptions Options(Computed timer) => LatencyBudgetTests.Options(Budget.Latency(15.005), SearchStrategy.SensitivityGuided, timer)
            with { StatePath = _path, MaximumTrials = 5 };
        DigitSearch.Prune(Options(new(work => 1 + 0.01 * work)));
        var (later, whole) = (new Computed(work => 1 + 0.01 * work), new Computed(work => 1 + 0.01 * work));
        var resumed = DigitSearch.Prune(Options(later) with { MaximumTrials = null }).GetReport<AutoPruneReport>();
        File.Delete(_path);
        var once = DigitSearch.Prune(Options(whole) with { MaximumTrials = null }).GetReport<AutoPruneReport>();
        Assert.AreEqual(5, resumed.Resumed);
        CollectionAssert.AreEqual(once.Trials.Select(trial => trial.ToString()).ToArray(), resumed.Trials.Select(trial => trial.ToString()).ToArray());
        Assert.AreEqual((0, 4), (later.Tables, whole.Tables));
    }

    /// <summary>Not beside other tests: it is timed. A thirtieth of the units is left at the most, and an eighth of the time asked for.</summary>
    [TestMethod, DoNotParallelize]
    public void Removed_units_score_within_the_time_in_ONNX_Runtime()
    {
        var step = Fit(Granularity.Unit, Budget.LatencyFraction(0.125, 64), [0.3, 0.98], out var network);
        var (report, cost) = (step.GetReport<AutoPruneReport>(), step.GetReport<AutoPruneReport>().Costs.Single());
        Assert.IsLessThanOrEqualTo(cost.Limit!.Value, cost.After);
        Assert.IsLessThan(0.25 * network.MultiplyAdds(), step.Network.MultiplyAdds());
        Assert.AreEqual((ScoringRuntime.OnnxRuntime, ScoringRuntime.OnnxRuntime), (report.RuntimeBefore, report.RuntimeAfter));
        Assert.AreEqual(64, report.LayerTimes!.Batch);
        Assert.Contains("in OnnxRuntime before and OnnxRuntime after", report.ToString());
        Assert.ThrowsExactly<UnreachableBudgetException>(() => Fit(Granularity.Unit, Budget.Latency(1e-9), [0.5], out _));
    }

    /// <summary>Not beside other tests: it is timed. Of 500 weights one is left at the most, and an eighth of the time asked for.</summary>
    [TestMethod, DoNotParallelize]
    public void Zeros_score_within_the_time_in_sparse_kernels_that_Compact_chooses()
    {
        var step = Fit(Granularity.Weight, Budget.LatencyFraction(0.125), [0.4, 0.998], out _);
        var (report, cost) = (step.GetReport<AutoPruneReport>(), step.GetReport<AutoPruneReport>().Costs.Single());
        Assert.IsLessThanOrEqualTo(cost.Limit!.Value, cost.After);
        Assert.AreEqual((ScoringRuntime.OnnxRuntime, ScoringRuntime.Sparse), (report.RuntimeBefore, report.RuntimeAfter));
        Assert.IsGreaterThan(0.8, NetworkCost.Of(step.Network).Total.Sparsity);
        // 64 x 1500 weights, of which 40% and 99.8% go.
        CollectionAssert.AreEqual(new long[] { 96_000, 57_600, 192 }, report.LayerTimes!.Layers[0].MultiplyAdds.ToArray());
        Assert.AreEqual(ScoringRuntime.Sparse, ((NeuralNetworkTransformer)step.Compact()).Runtime.Single.Runtime);
    }

    [TestMethod, DoNotParallelize]
    public void The_layer_that_does_the_work_takes_the_time()
    {
        var network = Network.Mlp(20, 1500, 1500, 10).Initialize(1);
        var zeros = network.Prune(Amount.Fraction(0.95), granularity: Granularity.Weight).Network;
        foreach (var (timed, runtime) in new[] { (network, ScoringRuntime.OnnxRuntime), (zeros, ScoringRuntime.Sparse) })
        {
            var time = new NetworkTimer().ByLayer(timed, 4, default);
            Assert.AreEqual(runtime, time.Runtime);
            Assert.IsGreaterThan(0.5 * time.Milliseconds, time.Layers["fc2"]);
            Assert.AreEqual(time.Milliseconds, time.Layers.Values.Sum(), 1e-9);
        }
    }

    private static AutoPruneOptions Options(Budget budget, SearchStrategy strategy, NetworkTimer timer) => new()
    {
        Budget = budget, Strategy = strategy, Sparsities = DigitSearch.Sparsities, GroupReduction = GroupImportance.Root, FineTuneEpochs = 0, Seed = 5,
        Timer = timer,
    };

    private static NeuralNetworkTransformer Fit(Granularity granularity, Budget budget, double[] sparsities, out Network network)
    {
        var ml = new MLContext(1);
        network = Network.Mlp(64, 1500, 1500, 10).Initialize(1);
        return DigitSearch.Chain(ml, network).Append(ml.Transforms.AutoPrune(new AutoPruneOptions
        {
            Budget = budget, Granularity = granularity, Sparsities = sparsities, Strategy = SearchStrategy.Evolutionary(2, 1), FineTuneEpochs = 0,
        })).Fit(Digits.Load(ml)).LastTransformer;
    }

    /// <summary>Times that follow from the shapes of weights.</summary>
    /// <param name="layer">What a layer of so many multiply-adds takes.</param>
    private sealed class Computed(Func<long, double> layer) : NetworkTimer
    {
        private const double Other = 2;

        public Func<long, double> Layer => layer;

        /// <summary>How much longer networks take whose layers are at different levels.</summary>
        public double Uneven { get; init; } = 1;

        /// <summary>How much longer all takes in the end.</summary>
        public double Last { get; init; } = 1;

        /// <summary>Networks timed layer by layer.</summary>
        public int Tables { get; private set; }

        public bool IsUneven(IReadOnlyList<long> kept) => kept.Zip([16, 12, 10], (left, all) => Math.Round(4.0 * left / all)).Distinct().Count() > 1;

        public double Of(IReadOnlyList<long> kept)
        {
            long[] widths = [64, .. kept, 10];
            return (widths.Zip(widths[1..], (from, to) => layer(from * to)).Sum() + Other) * (IsUneven(kept) ? Uneven : 1);
        }

        public override double Milliseconds(Network network, int batch, CancellationToken cancellation) => Of(Kept(network));

        public override (NetworkTime Before, NetworkTime After) InTurns(Network before, Network after, int batch, CancellationToken cancellation)
            => (Time(before, Last), Time(after, Last));

        public override NetworkTime ByLayer(Network network, int batch, CancellationToken cancellation)
        {
            Tables++;
            var weights = Enumerable.Range(1, 4).Select(number => (Layer: $"fc{number}", Weight: network[$"fc{number}.weight"]));
            return Time(network, 1).Split([.. weights.Select(one => (one.Layer, layer(one.Weight.Count))), ("", Other)]);
        }

        private static long[] Kept(Network network) => [.. Enumerable.Range(1, 3).Select(number => (long)network[$"fc{number}.weight"].Shape[0])];

        private NetworkTime Time(Network network, double longer) => new(longer * Of(Kept(network)), ScoringRuntime.OnnxRuntime);
    }
}
