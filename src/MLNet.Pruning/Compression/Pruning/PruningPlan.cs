namespace MLNet.Pruning;

/// <summary>What a pruning with given options does to a network, step by step of its schedule.</summary>
internal abstract class PruningPlan
{
    public abstract int Steps { get; }

    /// <summary>The network as it is to be after a step, from 0.</summary>
    /// <param name="good">The network after the step before.</param>
    /// <param name="step">Number of the step.</param>
    public abstract PrunedNetwork Prune(PrunedNetwork good, int step);

    /// <summary>Share of the pieces that are gone, and what is left.</summary>
    public abstract (double Sparsity, long Left) Describe(PrunedNetwork network);

    /// <summary>Adds to the report what the plan alone knows.</summary>
    public virtual PruningReport Complete(PruningReport report, PrunedNetwork network) => report;

    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="ArgumentException">Nothing in scope can be pruned.</exception>
    public static PruningPlan Create(PruningOptions options, PrunedNetwork start)
        => options.Layers.Count > 0 ? new LayeredPlan(options, start)
        : options.Granularity.IsStructural ? RemovalPlan.Create(options, start) : new MaskPlan(options, start);
}
