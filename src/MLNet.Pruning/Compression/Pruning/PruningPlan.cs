using MLNet.Pruning.Compression.Pruning.Record;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>What a pruning with given options does to a network, step by step of its schedule.</summary>
internal abstract class PruningPlan
{
    public abstract int Steps { get; }

    /// <summary>What became of the candidates so far.</summary>
    public virtual CandidateRecord Record { get; } = new();

    /// <summary>The network as it is to be after a step, from 0.</summary>
    /// <param name="good">The network after the step before.</param>
    /// <param name="step">Number of the step.</param>
    /// <param name="scores">Importance scores of the candidates in the network after the step before.</param>
    public PrunedNetwork Prune(PrunedNetwork good, int step, ImportanceScores scores) => Prune(good, step, null, ref scores);

    /// <summary>A batch of a greedy step; the same network where nothing is missing.</summary>
    /// <param name="good">The network after the step before, or what an earlier call for this step gave.</param>
    /// <param name="step">Number of the step.</param>
    /// <param name="most">Candidates of each pool to go at most; null for all of the step's.</param>
    /// <param name="scores">Importance scores of the candidates; afterwards what was measured last, where parts of the step are measured by themselves.</param>
    public abstract PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores);

    /// <summary>Share of the candidates that are gone, and what is left.</summary>
    public abstract (double Sparsity, long Left) Describe(PrunedNetwork network);

    /// <summary>The network with what the description counts, though nothing of it may be gone yet.</summary>
    public virtual PrunedNetwork Open(PrunedNetwork start) => start;

    /// <summary>A plan for each layer that loses something, by the name of the layer: how much is settled now, what goes is left to its steps.</summary>
    public abstract IEnumerable<(string Layer, PruningPlan Plan)> ByLayer();

    /// <summary>Adds to the report what the plan alone knows.</summary>
    public virtual PruningReport Complete(PruningReport report, PrunedNetwork network) => report with { Record = Record };

    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="ArgumentException">Nothing in scope can be pruned.</exception>
    /// <param name="options">Validated options.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">Importance scores of the candidates in it.</param>
    /// <param name="measure">Measures what is left after a part of a step.</param>
    public static PruningPlan Create(PruningOptions options, PrunedNetwork start, ImportanceScores scores, Func<PrunedNetwork, ImportanceScores> measure)
    {
        var plan = options.Layers.Count > 0 ? new LayeredPlan(options, start, scores, measure) : Of(options, start, scores);
        return options.Schedule.Order == LayerOrder.Together ? plan : new OrderedPlan(plan, options.Schedule.Order, start.Weights);
    }

    /// <summary>The same for all layers together, and without rules.</summary>
    protected static PruningPlan Of(PruningOptions options, PrunedNetwork start, ImportanceScores scores)
        => options.Granularity.IsDepth ? new BlockPlan(options, start, scores)
        : options.Granularity.IsStructural ? new GroupPlan(options, start, scores) : new MaskPlan(options, start, scores);

    /// <summary>All at once.</summary>
    public static PrunedNetwork Prune(PrunedNetwork start, PruningOptions options, ImportanceScores scores)
        => Of(options with { Schedule = Schedule.OneShot }, start, scores).Prune(start, 0, scores);
}
