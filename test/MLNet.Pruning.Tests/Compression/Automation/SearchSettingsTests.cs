using System.Reflection;
using MLNet.Pruning.Tests.Training;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>
/// Every option of a search, whatever is added, tells it from another, or is listed here with the reason why a later run may have it otherwise.
/// </summary>
[TestClass]
public class SearchSettingsTests
{
    private static readonly Dictionary<string, string> s_free = new()
    {
        [nameof(AutoPruneOptions.FineTuneEpochs)] = "trains the network that is chosen, not the candidates",
        [nameof(AutoPruneOptions.MaximumTrials)] = "ends the search, and a later run goes on",
        [nameof(AutoPruneOptions.TimeLimit)] = "ends the search, and a later run goes on",
        [nameof(AutoPruneOptions.StatePath)] = "the file may be moved",
        [nameof(AutoPruneOptions.CancellationToken)] = "of the process",
        [nameof(AutoPruneOptions.Progress)] = "of the process",
    };

    private static readonly Dictionary<string, string> s_freeOfTraining = new()
    {
        [nameof(TrainingOptions.Epochs)] = "candidates have their own",
        [nameof(TrainingOptions.Seed)] = "the search has its own",
        [nameof(TrainingOptions.CancellationToken)] = "of the process",
        [nameof(TrainingOptions.Progress)] = "of the process",
    };

    private static readonly AutoPruneOptions s_options = new() { Budget = Budget.Parameters(100), CandidateEpochs = 1 };

    /// <summary>For each option a value that is not its default.</summary>
    private static readonly AutoPruneOptions s_other = new()
    {
        Budget = Budget.Parameters(100) + Budget.MetricLoss(0.1),
        Metric = Metric.LogLoss,
        Strategy = SearchStrategy.LearnedPolicy(4, 3),
        Minimize = CostMeasure.Bytes,
        Granularity = Granularity.UnitWithinHeads,
        Importance = Importance.Movement(10, 2, 0.1),
        Scope = Scope.Layer.Except("fc1"),
        GroupReduction = GroupImportance.Sum,
        Alignment = 4,
        Sparsities = [0.1, 0.25],
        CandidateEpochs = 2,
        FineTuneEpochs = 9,
        FineTuning = new() { BatchSize = 3 },
        TimeLimit = TimeSpan.FromSeconds(1),
        MaximumTrials = 8,
        StatePath = "state.json",
        Seed = 12,
        CancellationToken = new CancellationToken(true),
        Progress = new Progress<AutoPruneTrial>(),
    };

    [TestMethod]
    public void Every_option_tells_a_search_from_another()
    {
        foreach (var option in typeof(AutoPruneOptions).GetProperties())
        {
            Assert.AreNotEqual(option.GetValue(s_options), option.GetValue(s_other), $"{option.Name} needs another value in this test");
            var changed = s_options with { };
            option.SetValue(changed, option.GetValue(s_other));
            Assert.AreEqual(s_free.ContainsKey(option.Name), Settings(s_options) == Settings(changed), $"{option.Name}: {Settings(changed)}");
        }

        Assert.IsTrue(s_free.Keys.All(name => typeof(AutoPruneOptions).GetProperty(name) is not null));
    }

    [TestMethod]
    public void Every_option_of_training_does_where_candidates_are_trained()
    {
        foreach (var option in typeof(TrainingOptions).GetProperties())
        {
            var training = new TrainingOptions();
            option.SetValue(training, option.GetValue(TrainingJsonTests.Other));
            var (changed, untrained) = (s_options with { FineTuning = training }, s_options with { CandidateEpochs = 0 });
            Assert.AreEqual(s_freeOfTraining.ContainsKey(option.Name), Settings(s_options) == Settings(changed), $"{option.Name}: {Settings(changed)}");
            // The metric is measured either way.
            var same = Settings(untrained) == Settings(untrained with { FineTuning = training });
            Assert.AreEqual(option.Name != nameof(TrainingOptions.Metric), same, option.Name);
        }
    }

    [TestMethod]
    public void Teachers_of_one_size_are_told_apart()
    {
        Assert.AreEqual(Settings(s_options, Network.Mlp(2, 2).Initialize(1)), Settings(s_options, Network.Mlp(2, 2).Initialize(1)));
        Assert.AreNotEqual(Settings(s_options, Network.Mlp(2, 2).Initialize(1)), Settings(s_options, Network.Mlp(2, 2).Initialize(2)));
        Assert.AreNotEqual(Settings(s_options, Teacher.Mean(Network.Mlp(2, 2).Initialize(1))),
            Settings(s_options, Teacher.Mean(Network.Mlp(2, 2).Initialize(2))));
        Assert.AreNotEqual(Settings(s_options, Teacher.Columns("A")), Settings(s_options, Teacher.Columns("B")));
    }

    /// <summary>As a step has them whose network was trained by default.</summary>
    private static string Settings(AutoPruneOptions options, Teacher? teacher = null)
        => string.Join('\n', options.Settings(options.Training(new TrainingOptions()), teacher, options.Seed ?? 1));
}
