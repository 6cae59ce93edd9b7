using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>Masks chosen anew among all weights or structures, for trainings in which what was dropped may come back.</summary>
internal sealed class ChangingMasks
{
    private readonly SelectionOptions _options;
    private readonly Importance _criterion;
    private readonly CalibrationData _data;
    private PruningPlan _plan;
    private int _choices;

    public ChangingMasks(SelectionOptions options, PrunedNetwork start, CalibrationData data)
    {
        (_data, _options, _criterion) = (data, options, options.Criterion);
        _plan = PruningPlan.Create(options, start, Measure(start), Measure);
    }

    /// <summary>Steps of the schedule.</summary>
    public int Steps => _plan.Steps;

    /// <summary>The masks after a step of the schedule, from 0.</summary>
    /// <param name="now">The weights as they are, and the masks from before the training.</param>
    /// <param name="step">The step.</param>
    public ImmutableDictionary<string, WeightMask> Choose(PrunedNetwork now, int step)
    {
        var scores = Measure(now);
        // A plan of its own: it records the fate of each weight or structure, and here that is the last choice's alone.
        _plan = PruningPlan.Create(_options, now, scores, Measure);
        var pruned = _plan.Prune(now, step, scores);
        _plan.Record.Close(++_choices, _plan.Describe(pruned).Sparsity, kept: true);
        return pruned.Masks;
    }

    /// <inheritdoc cref="SparseTrainingRun.Complete"/>
    public PruningReport Complete(PruningReport report, PrunedNetwork network) => _plan.Complete(report, network);

    private ImportanceScores Measure(PrunedNetwork network) => _criterion.Measure(new(network, _data));
}
