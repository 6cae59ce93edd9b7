using System.Collections.Immutable;
using System.Globalization;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Groups removed layer by layer: neurons, channels, heads, hidden units.</summary>
internal sealed class UnitRatios : RatioSpace
{
    private readonly NetworkStructure _structure;
    private readonly Network _sketch;

    /// <summary>All groups, the least important of each family first.</summary>
    private readonly (int Family, PruningGroup Group, double Score)[] _order;

    public UnitRatios(PrunedNetwork start, PruningOptions options, ImportanceScores importance, IReadOnlyList<double> sparsities) : base(start)
    {
        var network = start.Network;
        (_structure, _sketch) = (network.Groups(options.Granularity.Structure), network.WithoutValues());
        GroupFamily[] fitting = [.. _structure.Families.Where(family => options.Granularity.Kinds.Contains(family.Kind))];
        var families = fitting.Length == 0 ? [] : options.Scope.Choose(fitting, family => (family.Axis.Node.Name, family.Axis.Parameter));
        if (families.Count == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{options.Granularity}'.{string.Concat(_structure.Reasons().Select(reason => Environment.NewLine + reason))}");
        }

        var scores = GroupScores.Of(_structure, network, families, importance, options.Group, normalize: false, options.CancellationToken);
        _order = [.. families.SelectMany((family, f) => family.Groups.Select((group, i) => (Family: f, Group: group, Score: scores[f][i]))).OrderBy(piece => piece.Score)];
        Layers = [.. families.Select(family => RatioLayer.Of(family.Axis.Node.Name, family.Axis.Parameter, family.Groups.Length + GroupPlan.Removed(network, family.Axis, family),
            family.Groups.Length, sparsities,
            GroupPlan.Multiple(family, options.Alignment) is > 1 and var multiple && multiple <= family.Groups.Length ? multiple : 1))];
    }

    public override IReadOnlyList<RatioLayer> Layers { get; }

    public override IEnumerable<string> Reasons => _structure.Reasons();

    public override bool Removes => true;

    public override PrunedNetwork Prune(IReadOnlyList<int> levels)
    {
        if (Choose(levels) is not { Count: > 0 } groups)
        {
            return Start;
        }

        return Start.Without(new StructureSurgery(_structure, groups));
    }

    public override IReadOnlyList<long> Kept(IReadOnlyList<int> levels)
    {
        var roots = Choose(levels).Select(group => group.Root).ToHashSet();
        return [.. Layers.Select((layer, l) => layer.Kept[0] - _order.Count(piece => piece.Family == l && roots.Contains(piece.Group.Root)))];
    }

    public override Network Sketch(IReadOnlyList<int> levels) => Choose(levels) is { Count: > 0 } groups ? new StructureSurgery(_structure, groups).Remove(_sketch) : _sketch;

    protected override IEnumerable<string> Choices() => _order.GroupBy(piece => piece.Family)
        .Select(family => string.Join(' ', family.Select(piece => piece.Group.Number.ToString(CultureInfo.InvariantCulture))));

    private List<PruningGroup> Choose(IReadOnlyList<int> levels)
    {
        var chosen = _order.GroupBy(piece => piece.Family).SelectMany(family => family.Take((int)(Layers[family.Key].Kept[0] - Layers[family.Key].Kept[levels[family.Key]])))
            .Select(piece => piece.Group).ToList();
        return GroupPlan.KeepOne(_structure, chosen, _order);
    }
}
