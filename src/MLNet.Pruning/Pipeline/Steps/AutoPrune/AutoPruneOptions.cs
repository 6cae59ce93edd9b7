using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Scoring.Runtimes;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>How a network is pruned to a budget. Same seed, same bits, unless time is limited or part of the budget.</summary>
public record AutoPruneOptions : CriterionOptions
{
    /// <summary>Options with their defaults: units of any kind go.</summary>
    public AutoPruneOptions() => Granularity = Granularity.Unit;

    private static readonly CostMeasure[] s_costs = [CostMeasure.Bytes, CostMeasure.MultiplyAdds, CostMeasure.Parameters, CostMeasure.Milliseconds];

    /// <summary>
    /// What is to be met. Where it bounds the loss of metric, the smallest network within it is looked for; where it bounds costs alone, the one
    /// with the best validation metric. A bound on the loss of metric is a number, without a confidence: see <see cref="Budget.MetricLoss"/>.
    /// </summary>
    public required Budget Budget { get; init => field = Setting.Present(value).For("AutoPrune", s_costs); }

    /// <summary>
    /// What candidates are measured by on the validation rows, and what the budget's loss of metric and the fine-tuning's early stopping go by.
    /// </summary>
    /// <value>Default null: that of the fine-tuning, or else of the network's training, or else the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>How the sparsities of the layers are looked for.</summary>
    /// <value>Default <see cref="SearchStrategy.SensitivityGuided"/>.</value>
    public SearchStrategy Strategy { get; init => field = Setting.Present(value); } = SearchStrategy.SensitivityGuided;

    /// <summary>Which cost is made as small as can be where the budget bounds the loss of metric.</summary>
    /// <value>Default null: the first that the budget limits, parameters where it limits none. Trees and nodes are costs of trees alone.</value>
    public CostMeasure? Minimize
    {
        get;
        init => field = value is not { } measure || s_costs.Contains(measure) ? value
            : throw new ArgumentOutOfRangeException(nameof(Minimize), value, $"AutoPrune minimises one of {string.Join(", ", s_costs)}.");
    }

    /// <summary>Widths that removal leaves are rounded to the nearest multiple, at least one; see <see cref="SelectionOptions.Alignment"/>.</summary>
    /// <value>Default null: 16 for layers made by dense convolutions of at least 16 filters, otherwise 1.</value>
    public int? Alignment { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>Shares of its weights or structures in the dense network that a layer may lose, beside none; the last one always stays.</summary>
    /// <value>Default 0.1, 0.2, ..., 0.9. Each in [0, 1).</value>
    /// <exception cref="ArgumentException">None, or one outside [0, 1).</exception>
    public IReadOnlyList<double> Sparsities { get; init => field = RatioSpace.Copy(value); } = RatioSpace.Copy(RatioSpace.DefaultSparsities);

    /// <summary>
    /// Epochs of fine-tuning before each candidate is measured. Not negative. Without any, candidates are compared by how well they do right after
    /// pruning: cheap, and in the same order as after fine-tuning more often than not, but a bound on the loss of metric then holds before fine-tuning.
    /// </summary>
    /// <value>Default 0.</value>
    public int CandidateEpochs { get; init => field = Setting.AtLeast(0, value); }

    /// <summary>Epochs of fine-tuning of the network chosen. Not negative. Where it comes out worse by the budget it is taken back.</summary>
    /// <value>Default 5.</value>
    public int FineTuneEpochs { get; init => field = Setting.AtLeast(0, value); } = 5;

    /// <summary>How networks are fine-tuned; its epochs are not used.</summary>
    /// <value>Default null: as the network was trained.</value>
    public TrainingOptions? FineTuning { get; init; }

    /// <summary>
    /// No further candidate is begun after so long; the best so far is taken. Above zero; one candidate that meets the costs is always measured.
    /// </summary>
    /// <value>Default null: no limit.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not above zero.</exception>
    public TimeSpan? TimeLimit
    {
        get;
        init => field = value is null || value > TimeSpan.Zero ? value
            : throw new ArgumentOutOfRangeException(nameof(TimeLimit), value, "A time limit lies above zero.");
    }

    /// <summary>Candidates measured at most, those of earlier runs with the same state file included. At least 1.</summary>
    /// <value>Default null: as many as the strategy proposes.</value>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public int? MaximumTrials { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>
    /// File that holds every candidate measured, written beside and renamed after each. A later run with the same settings on the same network and
    /// rows goes on where it stopped, and ends as one that was not stopped.
    /// </summary>
    /// <value>Default null: none.</value>
    public string? StatePath { get; init => field = value is null ? null : Setting.Named(value); }

    /// <summary>Seed of the search, of calibration rows and of fine-tuning.</summary>
    /// <value>Default null: drawn from the MLContext, so <c>new MLContext(seed)</c> fixes it too.</value>
    public int? Seed { get; init; }

    /// <summary>Called after every candidate, on the thread that searches.</summary>
    /// <value>Default null. The same lines go to <c>MLContext.Log</c>.</value>
    public IProgress<AutoPruneTrial>? Progress { get; init; }

    /// <summary>Tells the time.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Tells what networks take.</summary>
    internal NetworkTimer Timer { get; init; } = new();

    /// <summary>What is made as small as can be.</summary>
    internal CostMeasure Objective => Minimize ?? (Budget.Limits is [var first, ..] ? first.Measure : CostMeasure.Parameters);

    /// <summary>How networks are fine-tuned.</summary>
    /// <param name="before">How the network was trained.</param>
    internal TrainingOptions Training(TrainingOptions before) => (FineTuning ?? before).With(cancellation: CancellationToken, metric: Metric);

    /// <summary>The part of the options that says which weights or structures go.</summary>
    internal SelectionOptions Selection => new()
    {
        Granularity = Granularity, Importance = Importance, Scope = Scope, GroupReduction = GroupReduction, Alignment = Alignment,
        CancellationToken = CancellationToken,
    };

    /// <summary>
    /// All that tells one search from another: every option but those that are named here, since a later run may have others and still meet what an
    /// earlier one measured.
    /// </summary>
    /// <param name="training">How candidates are fine-tuned.</param>
    /// <param name="teacher">Who teaches in it; null for no one.</param>
    /// <param name="seed">Of the search.</param>
    internal IEnumerable<(string Name, string Value)> Settings(TrainingOptions training, Teacher? teacher, int seed) =>
    [
        .. OptionsJson.Settings(this with
        {
            Metric = training.Metric,
            Minimize = Objective,
            Seed = seed,
            // The epochs are the candidates', the seed is the search's.
            FineTuning = CandidateEpochs == 0 ? null : training with { Epochs = 1, Seed = null },
            FineTuneEpochs = 0,
            TimeLimit = null,
            MaximumTrials = null,
            StatePath = null,
        }),
        (nameof(Distillation.Teacher), CandidateEpochs == 0 || teacher is null ? "null" : teacher.Identity),
    ];

    internal void Validate()
    {
        Selection.Validate();
        RatioSpace.Check(Granularity, Scope);
        FineTuning?.ValidateWithin("AutoPrune");
    }
}
