using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.Gradual"/>.</summary>
internal sealed class GradualTraining(int every, double until) : SparseTraining(every, until)
{
    public override string ToString() => Notation.Call(nameof(Gradual), Every, Until);

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data) => new Run(this, options, start, data);

    private sealed class Run : SparseTrainingRun
    {
        private readonly GradualTraining _owner;
        private readonly Importance _criterion;
        private readonly PruningPlan _plan;
        private ImportanceScores _scores;
        private readonly CalibrationData _data;
        private readonly Dictionary<string, (TorchParameter Values, Tensor Sum)>? _movement;
        private readonly Scalar _away = -1.0;
        private int _planned = -1;
        private int _moves;

        public Run(GradualTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
        {
            (_owner, _data) = (owner, data);
            _criterion = options.Criterion;
            _scores = Measure(start);
            _plan = PruningPlan.Create(options, start, _scores, Measure);
            _movement = options.Importance is MovementImportance ? [] : null;
            Masks = start.Masks;
        }

        public override void AfterBackward()
        {
            if (_movement is null)
            {
                return;
            }

            using var noGrad = no_grad();
            foreach (var (values, sum) in _movement.Values)
            {
                if (values.grad is { } gradient)
                {
                    sum.addcmul_(values, gradient, _away);
                }
            }
        }

        public override PruningReport Complete(PruningReport report, PrunedNetwork network) => _plan.Complete(report, network);

        public override void Dispose()
        {
            foreach (var (_, sum) in _movement?.Values ?? Enumerable.Empty<(TorchParameter, Tensor Sum)>())
            {
                sum.Dispose();
            }

            _away.Dispose();
        }

        protected override void Begin()
        {
            foreach (var (name, tensor) in Weights.Graph.Parameters)
            {
                if (tensor is TorchParameter values)
                {
                    _movement?.Add(name, (values, zeros_like(values).detach().DetachFromDisposeScope()));
                }
            }

            // Movement is known only after some steps of training.
            if (_movement is null)
            {
                Move(0);
            }
        }

        protected override void Updated(long step, double rate)
        {
            if (step == LastMove || (step < LastMove && step % _owner.Every == 0))
            {
                Move(step);
            }
            else
            {
                Weights.MaskWeights();
            }
        }

        private void Move(long step)
        {
            var planned = PlanStep(_plan.Steps, step);
            if (planned == _planned)
            {
                Weights.MaskWeights();
                return;
            }

            _planned = planned;
            var now = Snapshot(Masks);
            if (_movement is not null)
            {
                _scores = MovementImportance.Of(new(now, _data), _movement.ToDictionary(moved => moved.Key, moved => TensorValues.Of(moved.Value.Sum)));
            }
            else if (step > 0)
            {
                _scores = Measure(now);
            }

            var pruned = _plan.Prune(now, planned, _scores);
            _plan.Record.Close(++_moves, _plan.Describe(pruned).Sparsity, kept: true);
            Hold(pruned.Masks);
        }

        private ImportanceScores Measure(PrunedNetwork network) => _criterion.Measure(new(network, _data));
    }
}
