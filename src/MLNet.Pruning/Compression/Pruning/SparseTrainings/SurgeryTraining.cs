using MLNet.Pruning.Compression.Pruning.Importances;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.Surgery"/>.</summary>
internal sealed class SurgeryTraining(int every, double until) : SparseTraining(every, until)
{
    public override string ToString() => Notation.Call(nameof(Surgery), Every, Until);

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data) => new Run(this, options, start, data);

    private sealed class Run : SparseTrainingRun
    {
        private readonly SurgeryTraining _owner;
        private readonly ChangingMasks _masks;
        private readonly ImmutableDictionary<string, WeightMask> _before;
        private readonly Dictionary<string, (TorchParameter Values, Tensor Trained, Tensor Mask)> _running = [];

        public Run(SurgeryTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
        {
            (_owner, _before) = (owner, start.Masks);
            _masks = new(options, start, data);
        }

        public override void BeforeForward()
        {
            using var noGrad = no_grad();
            foreach (var (values, trained, mask) in _running.Values)
            {
                trained.copy_(values);
                values.mul_(mask);
            }
        }

        public override void AfterBackward()
        {
            using var noGrad = no_grad();
            foreach (var (values, trained, _) in _running.Values)
            {
                values.copy_(trained);
            }
        }

        public override void BeforeMeasuring() => BeforeForward();

        public override void AfterMeasuring() => AfterBackward();

        public override PruningReport Complete(PruningReport report, PrunedNetwork network) => _masks.Complete(report, network);

        public override void Dispose() => Clear();

        protected override void Begin() => Choose(0);

        protected override void Updated(long step, double rate)
        {
            if (step < LastMove)
            {
                if (step % _owner.Every == 0)
                {
                    Choose(step);
                }
            }
            else if (step == LastMove)
            {
                var final = _masks.Choose(Snapshot(_before), PlanStep(_masks.Steps, step));
                Clear();
                Hold(final);
            }
            else
            {
                Weights.MaskWeights();
            }
        }

        private void Choose(long step)
        {
            Masks = _masks.Choose(Snapshot(_before), PlanStep(_masks.Steps, step));
            foreach (var (name, mask) in Masks)
            {
                if (_running.Remove(name, out var before))
                {
                    before.Mask.Dispose();
                }

                var values = (TorchParameter)Weights.Graph.Parameters[name];
                _running[name] = (values, before.Trained ?? empty_like(values).detach().DetachFromDisposeScope(), Weights.Load(name, mask.ToFactors()));
            }
        }

        private void Clear()
        {
            foreach (var (_, trained, mask) in _running.Values)
            {
                trained.Dispose();
                mask.Dispose();
            }

            _running.Clear();
        }
    }
}
