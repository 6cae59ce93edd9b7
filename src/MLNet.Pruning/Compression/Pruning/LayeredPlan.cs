using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Pruning.Record;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Several plans, each for layers of its own, that take their steps together.</summary>
internal sealed class LayeredPlan : PruningPlan
{
    private readonly IReadOnlyList<PruningPlan> _plans;
    private readonly PrunedNetwork _start;
    private readonly Importance _importance;
    private readonly bool _removes;

    /// <param name="options">Validated options whose importance knows the rules.</param>
    /// <param name="start">The network to prune.</param>
    public LayeredPlan(PruningOptions options, PrunedNetwork start)
    {
        (_start, _importance, _removes) = (start, options.Importance, options.Granularity.IsStructural);
        _plans = [.. options.Parts(start).Select<PruningOptions, PruningPlan>(part => part.With(options.Importance) is var own && own.Granularity.IsStructural ? RemovalPlan.Create(own, start) : new MaskPlan(own, start))];
    }

    public override int Steps => _plans.Max(plan => plan.Steps);

    public override PieceRecord Record => PieceRecord.Of(_plans.Select(plan => plan.Record));

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most)
        => _plans.Aggregate(good, (network, plan) =>
        {
            var next = plan.Prune(network, Math.Min(step, plan.Steps - 1), most);
            // What one plan removes changes the sizes of what the next one reads.
            return _removes && next != network && _importance is StepImportance measured ? measured.Follow(next) : next;
        });

    /// <summary>Where pieces are removed, the share of the network's parameters that are gone: pieces of different plans do not add up.</summary>
    public override (double Sparsity, long Left) Describe(PrunedNetwork network) => !_removes ? _plans[0].Describe(network)
        : (1 - (double)network.Network.ParameterCount / _start.Network.ParameterCount, network.Network.ParameterCount);

    public override PrunedNetwork Open(PrunedNetwork start) => _plans.Aggregate(start, (network, plan) => plan.Open(network));

    public override IEnumerable<(string Layer, PruningPlan Plan)> ByLayer() => _plans.SelectMany(plan => plan.ByLayer());

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var reports = _plans.Select(plan => plan.Complete(report, network)).ToArray();
        return report with
        {
            Record = Record,
            Warnings = [.. reports.SelectMany(part => part.Warnings).Distinct()],
            Widths = [.. reports.SelectMany(part => part.Widths)],
            Bypassed = [.. reports.SelectMany(part => part.Bypassed).Distinct()],
        };
    }
}
