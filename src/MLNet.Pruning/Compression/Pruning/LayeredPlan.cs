namespace MLNet.Pruning;

/// <summary>Several plans, each for layers of its own, that take their steps together.</summary>
internal sealed class LayeredPlan : PruningPlan
{
    private readonly IReadOnlyList<PruningPlan> _plans;
    private readonly PrunedNetwork _start;
    private readonly bool _removes;

    /// <param name="options">Validated options whose importance knows the rules.</param>
    /// <param name="start">The network to prune.</param>
    public LayeredPlan(PruningOptions options, PrunedNetwork start)
    {
        (_start, _removes) = (start, options.Granularity.IsStructural);
        _plans = [.. options.Parts(start).Select(part => Create(part.With(options.Importance), start))];
    }

    public override int Steps => _plans.Max(plan => plan.Steps);

    public override PrunedNetwork Prune(PrunedNetwork good, int step) => _plans.Aggregate(good, (network, plan) => plan.Prune(network, Math.Min(step, plan.Steps - 1)));

    /// <summary>Where pieces are removed, the share of the network's parameters that are gone: pieces of different plans do not add up.</summary>
    public override (double Sparsity, long Left) Describe(PrunedNetwork network) => !_removes ? _plans[0].Describe(network)
        : (1 - (double)network.Network.ParameterCount / _start.Network.ParameterCount, network.Network.ParameterCount);

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var reports = _plans.Select(plan => plan.Complete(report, network)).ToArray();
        return report with { Widths = [.. reports.SelectMany(part => part.Widths)], Bypassed = [.. reports.SelectMany(part => part.Bypassed).Distinct()] };
    }
}
