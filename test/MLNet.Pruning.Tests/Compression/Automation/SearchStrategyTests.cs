using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>What strategies find against all 64 combinations of the sparsities of three layers, measured by hand.</summary>
[TestClass]
public class SearchStrategyTests
{
    public static IEnumerable<object[]> Strategies => [[SearchStrategy.SensitivityGuided], [SearchStrategy.Evolutionary(12, 10)],
        [SearchStrategy.LearnedPolicy(12, 12)], [SearchStrategy.DynamicProgramming(60)]];

    /// <summary>A policy of few numbers cannot say every combination: it is held to within a tenth of the smallest.</summary>
    public static IEnumerable<object[]> Bounds => [[SearchStrategy.SensitivityGuided, 1.0], [SearchStrategy.Evolutionary(12, 10), 1.0],
        [SearchStrategy.LearnedPolicy(12, 12), 1.1], [SearchStrategy.DynamicProgramming(60), 1.0]];

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void Within_a_cost_the_most_accurate_of_all_combinations_is_found(SearchStrategy strategy)
    {
        foreach (var most in new[] { 800, 1000, 1250 })
        {
            var report = DigitSearch.Prune(Options(Budget.MultiplyAdds(most), strategy)).GetReport<AutoPruneReport>();
            var best = DigitSearch.All.Where(one => DigitSearch.MultiplyAdds(one.Kept) <= most).MaxBy(one => one.Accuracy);
            Assert.AreEqual(best.Accuracy, report.After.Metric, 1e-9, $"{most}: {string.Join(", ", best.Kept)}\n{report}");
            Assert.IsLessThanOrEqualTo(most, DigitSearch.MultiplyAdds(Kept(report)));
        }
    }

    [TestMethod]
    [DynamicData(nameof(Bounds))]
    public void Within_a_loss_of_metric_the_smallest_of_all_combinations_is_found(SearchStrategy strategy, double bound)
    {
        var dense = DigitSearch.Measure(DigitSearch.Network).Accuracy;
        foreach (var loss in new[] { 0.01, 0.05, 0.2 })
        {
            var report = DigitSearch.Prune(Options(Budget.MetricLoss(loss), strategy)).GetReport<AutoPruneReport>();
            var best = DigitSearch.All.Where(one => dense - one.Accuracy <= loss + 1e-9).Min(one => DigitSearch.Parameters(one.Kept));
            Assert.IsLessThanOrEqualTo(bound * best, DigitSearch.Parameters(Kept(report)), $"{loss}\n{report}");
            Assert.IsLessThanOrEqualTo(loss + 1e-9, dense - report.After.Metric);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void What_is_reported_of_candidates_is_what_they_compute(SearchStrategy strategy)
    {
        var report = DigitSearch.Prune(Options(Budget.MultiplyAdds(900), strategy)).GetReport<AutoPruneReport>();
        Assert.IsLessThanOrEqualTo(64, report.Trials.Count);
        CollectionAssert.AllItemsAreUnique(report.Trials.Select(trial => string.Join(",", trial.Kept)).ToArray());
        foreach (var trial in report.Trials)
        {
            var (kept, accuracy, loss) = DigitSearch.All.Single(one => one.Kept.SequenceEqual(trial.Kept));
            Assert.AreEqual(accuracy, trial.Validation.Metric, 1e-9, trial.ToString());
            Assert.AreEqual(loss, trial.Validation.Loss, 1e-4, trial.ToString());
            Assert.AreEqual(DigitSearch.MultiplyAdds(kept), trial.Size);
            Assert.AreEqual(DigitSearch.MultiplyAdds(kept) <= 900, trial.Meets);
        }
    }

    [TestMethod]
    public void Weights_are_spread_better_than_alike_on_rows_that_no_choice_was_made_on()
    {
        const double Share = 0.4;
        var ml = new MLContext(1);
        var rows = ml.Data.TrainTestSplit(Digits.Load(ml), 0.5, seed: 1);
        var chain = DigitSearch.Chain(ml, validation: 0.5);
        var dense = DigitSearch.MultiplyAdds([.. DigitSearch.Widths[1..^1].Select(width => (long)width)]);
        var searched = chain.Append(ml.Transforms.AutoPrune(new AutoPruneOptions
        {
            Budget = Budget.MultiplyAdds((long)(Share * dense)), Granularity = Granularity.Weight, Strategy = SearchStrategy.DynamicProgramming(40),
            FineTuneEpochs = 0, Seed = 5,
        })).Fit(rows.TrainSet);
        var alike = chain.Append(ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(1 - Share), Scope = Scope.Layer, Recovery = Recovery.None, FineTuneEpochs = 0,
        })).Fit(rows.TrainSet);
        var network = searched.LastTransformer.Network;
        Assert.IsLessThanOrEqualTo(Share * dense, NetworkCost.Of(network).Total.LiveMultiplyAdds!.Value);
        // What is tried takes what it may.
        Assert.IsGreaterThan(0.95 * Share * dense,
            searched.LastTransformer.GetReport<AutoPruneReport>().Trials.Where(trial => trial.Meets).Max(trial => trial.Size));
        double Loss(ITransformer model) => ml.MulticlassClassification.Evaluate(model.Transform(rows.TestSet)).LogLoss;
        Assert.IsLessThan(Loss(alike), Loss(searched));
    }

    [TestMethod]
    public void A_budget_out_of_reach_names_what_the_smallest_network_costs()
    {
        var error = Assert.ThrowsExactly<UnreachableBudgetException>(() => DigitSearch.Prune(Options(Budget.MultiplyAdds(200),
            SearchStrategy.DynamicProgramming())));
        var least = DigitSearch.All.Min(one => DigitSearch.MultiplyAdds(one.Kept));
        Assert.AreEqual(least - 200, error.Missing, 1e-9);
        StringAssert.Contains(error.Message, $"{least} multiply-adds");
    }

    [TestMethod]
    public void Settings_out_of_range_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SearchStrategy.Evolutionary(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SearchStrategy.Evolutionary(2, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SearchStrategy.LearnedPolicy(3));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SearchStrategy.LearnedPolicy(4, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SearchStrategy.DynamicProgramming(0));
    }

    private static AutoPruneOptions Options(Budget budget, SearchStrategy strategy)
        => new() { Budget = budget, Strategy = strategy, Sparsities = DigitSearch.Sparsities, GroupReduction = GroupImportance.Root, FineTuneEpochs = 0,
            Seed = 5 };

    private static long[] Kept(AutoPruneReport report) => [.. report.Layers.Select(layer => layer.Kept)];
}
