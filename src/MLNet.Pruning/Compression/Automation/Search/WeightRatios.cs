using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Weights and structures of weights set to zero layer by layer.</summary>
internal sealed class WeightRatios : RatioSpace
{
    private readonly ImportanceScores _importance;
    private readonly Candidates _candidates;
    private readonly IReadOnlyList<PoolMember> _members;
    private readonly Dictionary<(int Layer, int Level), WeightMask> _masks = [];

    public WeightRatios(PrunedNetwork start, PruningOptions options, ImportanceScores importance, IReadOnlyList<double> sparsities) : base(start)
    {
        _importance = importance;
        _candidates = new(importance, options.Granularity, Scope.Layer, Amount.Count(0), cancellation: options.CancellationToken);
        _members = [.. options.Scope.Pools(start, options.Granularity).SelectMany(pool => pool)];
        Layers = [.. _members.Select(member =>
        {
            var (dropped, total) = _candidates.Count([member]);
            return RatioLayer.Of(member.Layer, member.Parameter.Name, total, total - dropped, sparsities);
        })];
    }

    public override IReadOnlyList<RatioLayer> Layers { get; }

    public override bool Removes => false;

    public override PrunedNetwork Prune(IReadOnlyList<int> levels) => _importance.Compensate(_members
        .Select((member, layer) => (member.Parameter.Name, Mask: Mask(layer, levels[layer])))
        .Aggregate(Start, (network, mask) => network.WithMask(mask.Name, mask.Mask)));

    public override Network Sketch(IReadOnlyList<int> levels) => Prune(levels).Network;

    protected override IEnumerable<string> Choices() => Layers.SelectMany((layer, l) => Enumerable.Range(0, layer.Kept.Count)
        .Select(level => Convert.ToBase64String(MemoryMarshal.AsBytes(Mask(l, level).Words))));

    private WeightMask Mask(int layer, int level) => _masks.TryGetValue((layer, level), out var mask) ? mask
        : _masks[(layer, level)] = _candidates.Drop([_members[layer]], Layers[layer].Kept[0] - Layers[layer].Kept[level])[0];
}
