using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>
/// Soft pruning of what is removed in the end (He et al. 2018): the least important groups are set to zero with all that goes with them, train on,
/// and those of the last change are removed when the training is over.
/// </summary>
internal sealed class SoftRemovalRun : SparseTrainingRun
{
    private readonly SparseTraining _owner;
    private readonly Importance _criterion;
    private readonly SelectionOptions _options;
    private readonly PrunedNetwork _start;
    private readonly CalibrationData _data;
    private PruningPlan _plan;

    public SoftRemovalRun(SparseTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
    {
        (_owner, _start, _data, _options, _criterion) = (owner, start, data, options, options.Criterion);
        _plan = PruningPlan.Create(options, start, Measure(start), Measure);
        Masks = start.Masks;
    }

    public override PruningReport Complete(PruningReport report, PrunedNetwork network) => _plan.Complete(report, network);

    public override (double Sparsity, long Left) Describe(PrunedNetwork network) => _plan.Describe(network);

    public override PrunedNetwork Finish(Network trained, PrunedNetwork start) => _plan.Removal is not { } removal ? base.Finish(trained, start)
        : start.WithWeights(trained).Without(removal);

    protected override void Begin() => Choose(0);

    protected override void Updated(long step, double rate)
    {
        if (step == LastMove || (step < LastMove && step % _owner.Every == 0))
        {
            Choose(step);
        }
        else
        {
            Weights.MaskWeights();
        }
    }

    private void Choose(long step)
    {
        var now = Snapshot(_start.Masks);
        var scores = Measure(now);
        // A plan of its own: its record and its removal are those of the last choice.
        _plan = PruningPlan.Create(_options, now, scores, Measure);
        var pruned = _plan.Prune(now, PlanStep(_plan.Steps, step), scores);
        _plan.Record.Close(1, _plan.Describe(pruned).Sparsity, kept: true);
        var dropped = _plan.Removal?.Masks(now.Weights) ?? ImmutableDictionary<string, WeightMask>.Empty;
        if (step == LastMove)
        {
            Weights.Hold(dropped.ToImmutableDictionary(mask => mask.Key,
                mask => Masks.TryGetValue(mask.Key, out var before) ? before.And(mask.Value) : mask.Value));
            Weights.MaskWeights();
        }
        else
        {
            Weights.Zero(dropped);
        }
    }

    private ImportanceScores Measure(PrunedNetwork network) => _criterion.Measure(new(network, _data));
}
