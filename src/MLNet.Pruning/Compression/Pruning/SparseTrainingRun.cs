using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Optimizers;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Masks that move in one training.</summary>
internal abstract class SparseTrainingRun(double until) : TrainingCallback
{
    private TrainedWeights? _weights;

    /// <summary>The masks as they are.</summary>
    public ImmutableDictionary<string, WeightMask> Masks { get; protected set; } = ImmutableDictionary<string, WeightMask>.Empty;

    /// <summary>The masks are final.</summary>
    public override bool IsSettled => Steps > 0 && Done >= LastMove;

    protected TrainedWeights Weights => _weights ?? throw new InvalidOperationException("The training has not begun.");

    protected long Steps { get; private set; }

    protected long Done { get; private set; }

    /// <summary>The step after which masks move no more.</summary>
    protected long LastMove => Math.Max(1, (long)Math.Ceiling(until * Steps));

    protected int Seed { get; private set; }

    /// <summary>Adds to the report which candidates went and why.</summary>
    public virtual PruningReport Complete(PruningReport report, PrunedNetwork network) => report;

    /// <summary>Share of what is in scope that is gone, and what is left.</summary>
    public virtual (double Sparsity, long Left) Describe(PrunedNetwork network)
    {
        long total = network.Masks.Values.Sum(mask => (long)mask.Count), left = network.Masks.Values.Sum(mask => (long)mask.Kept);
        return (1 - (double)left / total, left);
    }

    /// <summary>The network of the trained weights.</summary>
    /// <param name="trained">The weights.</param>
    /// <param name="start">What the training began with.</param>
    public virtual PrunedNetwork Finish(Network trained, PrunedNetwork start) => new(trained, Masks, start.Checkpoints);

    public override void Begin(TrainedWeights weights, long steps, int seed)
    {
        (_weights, Steps, Seed) = (weights, steps, seed);
        Begin();
    }

    public sealed override void AfterStep(long step, double rate)
    {
        Done = step;
        Updated(step, rate);
    }

    /// <summary>The share of the pruning plan's steps that should be done after so many steps of training.</summary>
    protected int PlanStep(int planned, long step) => step >= LastMove ? planned - 1 : (int)((double)step / LastMove * planned);

    protected abstract void Begin();

    protected abstract void Updated(long step, double rate);

    /// <summary>The weights as they are, under masks that may be others than those of the training.</summary>
    /// <exception cref="InvalidOperationException">Weights are not finite: nothing could be chosen by them.</exception>
    protected PrunedNetwork Snapshot(ImmutableDictionary<string, WeightMask> masks)
    {
        var network = Weights.Snapshot();
        FiniteWeights.Check(network, $"Training diverged by step {Done}", "Lower the learning rate, clip gradients, or normalise the features.");
        return new(network, masks);
    }

    /// <summary>Drops for good what the masks leave out.</summary>
    protected void Hold(ImmutableDictionary<string, WeightMask> masks)
    {
        Masks = masks;
        Weights.Hold(masks);
        Weights.MaskWeights();
    }
}
