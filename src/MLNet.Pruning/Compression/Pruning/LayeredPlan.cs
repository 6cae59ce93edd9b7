using MLNet.Pruning.Compression.Pruning.Record;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Several plans, each for layers of its own, that take their steps together.</summary>
internal sealed class LayeredPlan : PruningPlan
{
    private readonly IReadOnlyList<PruningPlan> _plans;
    private readonly PrunedNetwork _start;
    private readonly Func<PrunedNetwork, ImportanceScores> _measure;
    private readonly bool _removes;

    /// <param name="options">Validated options whose importance knows the rules.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">Importance scores of the candidates in it.</param>
    /// <param name="measure">Measures what is left after a part of a step.</param>
    public LayeredPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores, Func<PrunedNetwork, ImportanceScores> measure)
    {
        (_start, _measure, _removes) = (start, measure, options.Granularity.IsStructural);
        _plans = [.. options.Parts(start).Select(part => Of(part, start, scores))];
    }

    public override int Steps => _plans.Max(plan => plan.Steps);

    public override CandidateRecord Record => CandidateRecord.Of(_plans.Select(plan => plan.Record));

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores)
    {
        foreach (var plan in _plans)
        {
            var next = plan.Prune(good, Math.Min(step, plan.Steps - 1), most, ref scores);
            if (_removes && next != good)
            {
                // What one plan removes changes the sizes of what the next one reads.
                next = scores.Compensate(next);
                scores = _measure(next);
            }

            good = next;
        }

        return good;
    }

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
