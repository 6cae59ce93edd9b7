using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.Soft"/>.</summary>
internal sealed class SoftTraining(int every, double until) : SparseTraining(every, until)
{
    public override string ToString() => Notation.Call(nameof(Soft), Every, Until);

    internal override void Check(SelectionOptions options)
    {
        if (options.Granularity.IsDepth || (options.Granularity.Removes
            && (options.Layers.Count > 0 || options.Schedule.Order != LayerOrder.Together || options.Schedule.BatchSize is not null)))
        {
            throw new ArgumentException($"{nameof(SparseTraining)}.{this} removes units of all layers together, but {(options.Granularity.IsDepth
                ? $"structures are of granularity '{options.Granularity}'"
                : options.Layers.Count > 0 ? "there are rules for layers" : "the schedule takes them in an order")}: prune between trainings.",
                    Option);
        }
    }

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data)
        => options.Granularity.Removes ? new SoftRemovalRun(this, options, start, data) : new Run(this, options, start, data);

    private sealed class Run : SparseTrainingRun
    {
        private readonly SoftTraining _owner;
        private readonly ChangingMasks _masks;
        private readonly ImmutableDictionary<string, WeightMask> _before;

        public Run(SoftTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
        {
            (_owner, _before) = (owner, start.Masks);
            _masks = new(options, start, data);
        }

        public override PruningReport Complete(PruningReport report, PrunedNetwork network) => _masks.Complete(report, network);

        protected override void Begin() => Zero(0);

        protected override void Updated(long step, double rate)
        {
            if (step == LastMove)
            {
                Hold(_masks.Choose(Snapshot(_before), PlanStep(_masks.Steps, step)));
            }
            else if (step > LastMove)
            {
                Weights.MaskWeights();
            }
            else if (step % _owner.Every == 0)
            {
                Zero(step);
            }
        }

        private void Zero(long step)
        {
            Masks = _masks.Choose(Snapshot(_before), PlanStep(_masks.Steps, step));
            Weights.Zero(Masks);
        }
    }
}
