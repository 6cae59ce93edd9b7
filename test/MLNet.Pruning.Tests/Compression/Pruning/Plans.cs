using MLNet.Pruning.Compression.Pruning;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Plans by the magnitude of what is left at each step.</summary>
internal static class Plans
{
    public static PruningPlan Create(PruningOptions options, PrunedNetwork start) => PruningPlan.Create(options, start, Measure(start), Measure);

    public static PrunedNetwork Prune(this PruningPlan plan, PrunedNetwork good, int step) => plan.Prune(good, step, Measure(good));

    private static ImportanceScores Measure(PrunedNetwork network) => Importance.L1.Measure(new(network));
}
