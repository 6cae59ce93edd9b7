using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using TorchSharp;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.RigL"/> and <see cref="SparseTraining.Set"/>.</summary>
internal sealed class DropAndGrowTraining : SparseTraining
{
    private readonly double _fraction;
    private readonly bool _byGradient;

    public DropAndGrowTraining(double fraction, int every, double until, bool byGradient) : base(every, until)
    {
        _fraction = fraction is > 0 and < 1 ? fraction : throw new ArgumentOutOfRangeException(nameof(fraction), fraction,
            "The share of weights that changes lies in (0, 1).");
        _byGradient = byGradient;
    }

    public override string ToString() => Notation.Call(_byGradient ? nameof(RigL) : nameof(Set), _fraction, Every, Until);

    internal override void Check(SelectionOptions options)
    {
        base.Check(options);
        if (!options.Granularity.IsSingle)
        {
            throw new ArgumentException($"{nameof(SparseTraining)}.{this} drops and grows single weights, not structures of granularity "
                + $"'{options.Granularity}'.",
                Option);
        }
    }

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data) => new Run(this, options, start, data);

    /// <summary>The mask after the smallest weights that it keeps are dropped and as many grown.</summary>
    /// <param name="mask">The mask.</param>
    /// <param name="values">The weights.</param>
    /// <param name="growth">What a weight that is not kept is worth to have.</param>
    /// <param name="count">How many change.</param>
    /// <param name="cancellation">Ends the choice.</param>
    internal static WeightMask Change(WeightMask mask, ReadOnlySpan<float> values, ReadOnlySpan<float> growth, int count,
        CancellationToken cancellation = default)
    {
        var kept = mask.ToArray();
        var size = values.ToArray();
        var order = new CancellableOrder(cancellation);
        foreach (var i in Enumerable.Range(0, kept.Length).Where(i => kept[i]).OrderBy(i => Math.Abs(size[i]), order).Take(count).ToArray())
        {
            kept[i] = false;
        }

        // As in the authors' program, what was just dropped may grow again at once.
        var gain = growth.ToArray();
        foreach (var i in Enumerable.Range(0, kept.Length).Where(i => !kept[i]).OrderByDescending(i => gain[i], order).Take(count).ToArray())
        {
            kept[i] = true;
        }

        return new(kept);
    }

    /// <summary>The order of numbers, which looks at a token now and then: millions are compared.</summary>
    private sealed class CancellableOrder(CancellationToken cancellation) : IComparer<float>
    {
        private int _compared;

        public int Compare(float x, float y)
        {
            if ((++_compared & 0xFFFF) == 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            return x.CompareTo(y);
        }
    }

    private sealed class Run : SparseTrainingRun
    {
        private readonly DropAndGrowTraining _owner;
        private readonly ImmutableDictionary<string, WeightMask> _start;
        private readonly Dictionary<string, float[]> _growth = [];
        private readonly CancellationToken _cancellation;
        private Random _random = new(0);

        public Run(DropAndGrowTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data) : base(owner.Until)
        {
            (_owner, _cancellation) = (owner, data.CancellationToken);
            var masks = new ChangingMasks(options, start, data);
            _start = masks.Choose(start, masks.Steps - 1);
        }

        public override void AfterBackward()
        {
            if (!Moves(Done + 1))
            {
                return;
            }

            _growth.Clear();
            // The order in which the dictionary gives them follows the process's own hashes of names: numbers are drawn by name.
            foreach (var (name, mask) in Masks.OrderBy(mask => mask.Key, StringComparer.Ordinal))
            {
                _cancellation.ThrowIfCancellationRequested();
                _growth[name] = _owner._byGradient ? Gradient((TorchParameter)Weights.Graph.Parameters[name], mask.Count)
                    : [.. Enumerable.Range(0, mask.Count).Select(_ => _random.NextSingle())];
            }
        }

        protected override void Begin()
        {
            _random = new Random(Seed);
            Hold(_start);
        }

        protected override void Updated(long step, double rate)
        {
            Weights.MaskWeights();
            if (!Moves(step))
            {
                return;
            }

            var fraction = _owner._fraction / 2 * (1 + Math.Cos(Math.PI * step / LastMove));
            _cancellation.ThrowIfCancellationRequested();
            var network = Weights.Snapshot();
            _cancellation.ThrowIfCancellationRequested();
            Hold(Masks.ToImmutableDictionary(mask => mask.Key, mask
                => Change(mask.Value, network[mask.Key].Values, _growth[mask.Key], (int)(fraction * mask.Value.Kept), _cancellation)));
        }

        private static float[] Gradient(TorchParameter values, int count)
        {
            using var scope = torch.NewDisposeScope();
            return values.grad is { } gradient ? TensorValues.Of(gradient.abs()) : new float[count];
        }

        private bool Moves(long step) => step % _owner.Every == 0 && step < LastMove;
    }
}
