using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Groups removed layer by layer: neurons, channels, heads, hidden units.</summary>
internal sealed class UnitRatios : RatioSpace
{
    private readonly NetworkStructure _structure;
    private readonly Network _sketch;
    private readonly GroupCandidates _candidates;

    public UnitRatios(PrunedNetwork start, PruningOptions options, ImportanceScores importance, IReadOnlyList<double> sparsities) : base(start)
    {
        var network = start.Network;
        (_structure, _sketch) = (network.Groups(options.Granularity.Structure), network.WithoutValues());
        GroupFamily[] fitting = [.. _structure.Families.Where(family => options.Granularity.Kinds.Contains(family.Kind))];
        var families = fitting.Length == 0 ? [] : options.Scope.Choose(fitting, family => (family.Axis.Node.Name, family.Axis.Parameter));
        if (families.Count == 0)
        {
            throw new ArgumentException("No layer can be pruned with granularity "
                + $"'{options.Granularity}'.{string.Concat(_structure.Reasons().Select(reason => Environment.NewLine + reason))}");
        }

        var scores = GroupScores.Of(_structure, network, families, importance, options.GroupReduction, normalize: false, options.CancellationToken);
        _candidates = new(_structure, families, scores);
        Layers = [.. families.Select(family => RatioLayer.Of(family.Axis.Node.Name, family.Axis.Parameter,
            family.Groups.Length + GroupPlan.Removed(network, family.Axis, family),
            family.Groups.Length, sparsities, GroupPlan.Multiple(family, options.Alignment) is > 1 and var multiple && multiple <= family.Groups.Length
                ? multiple : 1))];
    }

    public override IReadOnlyList<RatioLayer> Layers { get; }

    public override IEnumerable<string> Reasons => _structure.Reasons();

    public override bool Removes => true;

    public override PrunedNetwork Prune(IReadOnlyList<int> levels)
        => Choose(levels) is { Count: > 0 } groups ? Start.Without(new StructureRemoval(_structure, groups)) : Start;

    public override IReadOnlyList<long> Kept(IReadOnlyList<int> levels)
    {
        var roots = Choose(levels).Select(group => group.Root).ToHashSet();
        return [.. Layers.Select((layer, l) => layer.Kept[0]
            - _candidates.Order.Count(candidate => candidate.Family == l && roots.Contains(candidate.Group.Root)))];
    }

    public override Network Sketch(IReadOnlyList<int> levels)
        => Choose(levels) is { Count: > 0 } groups ? new StructureRemoval(_structure, groups).Remove(_sketch) : _sketch;

    protected override IEnumerable<string> Choices() => _candidates.Order.GroupBy(candidate => candidate.Family)
        .Select(family => string.Join(' ', family.Select(candidate => candidate.Group.Number.ToString(CultureInfo.InvariantCulture))));

    private List<PruningGroup> Choose(IReadOnlyList<int> levels) => _candidates.Least([.. Layers.Select((layer, l) => (int)layer.Kept[levels[l]])]);
}
