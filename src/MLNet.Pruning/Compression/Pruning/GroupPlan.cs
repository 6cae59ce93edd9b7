using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Removes groups: neurons, channels, heads, hidden units.</summary>
internal sealed class GroupPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores) : RemovalPlan(options, start, scores)
{
    private const int BlockedChannels = 16;
    private const int Bisections = 20;
    private readonly Dictionary<(string, int), Width> _before = [];
    private readonly Dictionary<(string, int), (int Exact, int Alignment)> _rounded = [];

    /// <summary>What removed the groups of the last step; null where it removed none.</summary>
    public StructureRemoval? Removal { get; private set; }

    protected override int Total => Before.Values.Sum(width => width.Dense);

    /// <summary>The widths in scope at the start, with those that were brought down to one before and have no groups that could go.</summary>
    private Dictionary<(string, int), Width> Before
    {
        get
        {
            if (_before.Count == 0)
            {
                foreach (var (axis, kind, family) in Widths(Start.Network.Groups(Options.Granularity.Structure)))
                {
                    var groups = family?.Groups.Length ?? 1;
                    _before[Key(axis)] = new(axis.Node.Name, kind, groups + Removed(Start.Network, axis, family), groups, family is not null);
                }
            }

            return _before;
        }
    }

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var after = Families(network.Network.Groups(Options.Granularity.Structure)).ToDictionary(family => Key(family.Axis), family => family.Groups.Length);
        return base.Complete(report, network) with
        {
            Widths = [.. Before.Where(family => family.Value.CanShrink)
                .Select(family => after.GetValueOrDefault(family.Key, 1) is var width && _rounded.TryGetValue(family.Key, out var rounded)
                ? new LayerWidth(family.Value.Layer, family.Value.Kind, family.Value.Start, width, rounded.Exact, rounded.Alignment)
                : new LayerWidth(family.Value.Layer, family.Value.Kind, family.Value.Start, width, width, 1))],
        };
    }

    protected override int Candidates(Network network)
    {
        var widths = network.Groups(Options.Granularity.Structure).Families.ToDictionary(family => Key(family.Axis), family => family.Groups.Length);
        // A width of one is none that could shrink.
        return Before.Keys.Sum(family => widths.GetValueOrDefault(family, 1));
    }

    protected override IEnumerable<double[]> Scores()
    {
        var structure = Start.Network.Groups(Options.Granularity.Structure);
        return Score(structure, Families(structure), Start.Network, First);
    }

    public override IEnumerable<(string Layer, PruningPlan Plan)> ByLayer()
    {
        var structure = Start.Network.Groups(Options.Granularity.Structure);
        var families = Families(structure);
        var scores = Score(structure, families, Start.Network, First);
        var groups = Options.Amount.Budget is null ? Choose(structure, families, scores, Share, int.MaxValue, isRounded: false)
            : Search(Start.Network, structure, families, scores, Share);
        return [.. families.GroupBy(family => family.Axis.Node.Name)
            .Select(layer => (Layer: layer.Key, Lost: layer.Sum(family => family.Groups.Count(groups.Contains)))).Where(layer => layer.Lost > 0)
            .Select(layer => (layer.Layer, (PruningPlan)new GroupPlan(Options.Within(layer.Layer, Amount.Count(layer.Lost).OfRemaining()), Start, First)))];
    }

    protected override PrunedNetwork Remove(PrunedNetwork good, double share, int most, ImportanceScores scores)
    {
        var network = good.Network;
        var structure = network.Groups(Options.Granularity.Structure);
        var families = Families(structure);
        if (Options.Amount.Budget is not null && Cost(network) <= (1 - share) * DenseCost)
        {
            return good;
        }

        var worth = Score(structure, families, network, scores);
        var groups = Options.Amount.Budget is null ? Choose(structure, families, worth, share, most)
            : most == int.MaxValue ? Search(network, structure, families, worth, share)
            : Choose(structure, families, worth, 1, most) is { Count: > 0 } batch ? batch : throw Unreachable(share, Cost(network));
        Compare(network, families, worth, groups);
        if (groups.Count == 0)
        {
            return good;
        }

        Removal = new StructureRemoval(structure, groups);
        return good.Without(Removal);
    }

    private static (string, int) Key(ParameterAxis axis) => (axis.Parameter, axis.Dimension);

    private IReadOnlyList<GroupFamily> Families(NetworkStructure structure) => [.. Widths(structure).Select(width => width.Family).OfType<GroupFamily>()];

    /// <summary>What there is in scope of widths: those with groups that could go, and those of which removals left one.</summary>
    private IReadOnlyList<(ParameterAxis Axis, StructureKind Kind, GroupFamily? Family)> Widths(NetworkStructure structure)
    {
        (ParameterAxis Axis, StructureKind Kind, GroupFamily? Family)[] fitting = [.. structure.Families
            .Select(family => (family.Axis, family.Kind, (GroupFamily?)family))
            .Concat(Ones(structure)).Where(width => Options.Granularity.Kinds.Contains(width.Kind))];
        if (fitting.Length == 0 && structure.Coupling.Graph != Start.Network.Graph)
        {
            // Nothing is left that could go.
            return [];
        }

        if (fitting.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{Options.Granularity}': the network has {(structure.Families.Length == 0
                ? "no groups that can be removed"
                : string.Join(", ", structure.Families.Select(family => $"{family.Axis.Node.Name} ({family.Kind})")))}.{string.Concat(structure.Reasons()
                    .Select(reason => Environment.NewLine + reason))}");
        }

        var chosen = Options.Scope.Choose(fitting, width => (width.Axis.Node.Name, width.Axis.Parameter));
        return chosen.Count > 0 ? chosen : throw new ArgumentException($"No layer can be pruned with granularity '{Options.Granularity}': all are excepted.");
    }

    /// <summary>Groups that the dense network had beside those that are left of a width.</summary>
    /// <param name="network">The network.</param>
    /// <param name="axis">The dimension that makes them.</param>
    /// <param name="family">Those that are left; null for one that cannot go.</param>
    internal static int Removed(Network network, ParameterAxis axis, GroupFamily? family)
    {
        var size = family is null ? axis.Classes.Length : family.Groups[0].Entries.Count(entry => family.Groups[0].Structure.Coupling.Axes[entry.Axis] == axis);
        return KeptMetadata.Read(network.Graph.Metadata).TryGetValue(axis.Parameter, out var removal)
            ? (removal.Shape[axis.Dimension] - axis.Classes.Length) / size : 0;
    }

    private static IEnumerable<(ParameterAxis Axis, StructureKind Kind, GroupFamily? Family)> Ones(NetworkStructure structure)
    {
        var (coupling, removals) = (structure.Coupling, KeptMetadata.Read(structure.Coupling.Graph.Metadata));
        var heads = coupling.Heads.Select(coupling.Classes.Find).ToHashSet();
        var known = structure.Select(group => group.Root).ToHashSet();
        foreach (var axis in coupling.Axes.Where(axis => axis.Role == AxisRole.Output && removals.TryGetValue(axis.Parameter, out var removal)
            && removal.Kept.ContainsKey(axis.Dimension)))
        {
            int[] roots = [.. axis.Classes.Select(coupling.Classes.Find)];
            if (roots.Length > 0 && !roots.Any(known.Contains))
            {
                known.UnionWith(roots);
                yield return (axis, heads.Contains(roots[0]) ? StructureKind.Head : axis.Kind, null);
            }
        }
    }

    private double[][] Score(NetworkStructure structure, IReadOnlyList<GroupFamily> families, Network network, ImportanceScores scores)
        => GroupScores.Of(structure, network, families, scores, Options.GroupReduction, Options.Normalize && Options.Scope.IsTogether,
            Options.CancellationToken);

    private PruningTargetException Unreachable(double target, long least) => new(
        $"The target is {(1 - target) * DenseCost:0} of {DenseCost} ({Options.Amount}), but with "
            + $"{(Options.MinimumKept > 0 ? $"a share of {Options.MinimumKept}" : "one group")} left in every layer in scope the network still has {least}.");

    /// <summary>Records what went, by the numbers that groups had at the start.</summary>
    private void Compare(Network network, IReadOnlyList<GroupFamily> families, double[][] scores, List<PruningGroup> groups)
    {
        var first = Families(Start.Network.Groups(Options.Granularity.Structure));
        if (Record.Pools.Count == 0)
        {
            var tables = first.Select(GroupTables.Of).ToList();
            Record.Pools.AddRange(Options.Scope.IsTogether ? [new() { Tables = tables }] : tables.Select(table => new CandidatePool { Tables = [table] }));
        }

        var (kept, going) = (new KeptIndices(Start.Network, network), groups.ToHashSet());
        var outcomes = first.Select(family => families.ToList().FindIndex(other => Key(other.Axis) == Key(family.Axis)) is >= 0 and var now
            ? GroupTables.Outcome(family, families[now], scores[now], kept, going)
            : new CandidateOutcome(new float[family.Groups.Length], new bool[family.Groups.Length], new bool[family.Groups.Length])).ToArray();
        if (Options.Scope.IsTogether)
        {
            Record.Pools[0].Compare(outcomes, ranked: true);
            return;
        }

        for (var f = 0; f < outcomes.Length; f++)
        {
            Record.Pools[f].Compare([outcomes[f]], ranked: true);
        }
    }

    /// <summary>The smallest share of groups whose removal meets a cost.</summary>
    private List<PruningGroup> Search(Network network, NetworkStructure structure, IReadOnlyList<GroupFamily> families, double[][] scores, double target)
    {
        var limit = (1 - target) * DenseCost;
        var sketch = network.WithoutValues();
        long Left(List<PruningGroup> groups) => groups.Count == 0 ? Cost(network) : Cost(new StructureRemoval(structure, groups).Remove(sketch));
        var (low, high) = (0.0, 1.0);
        var best = Choose(structure, families, scores, high, int.MaxValue);
        if (Left(best) is var least && least > limit)
        {
            throw Unreachable(target, least);
        }

        for (var i = 0; i < Bisections; i++)
        {
            var middle = (low + high) / 2;
            var groups = Choose(structure, families, scores, middle, int.MaxValue);
            if (Left(groups) <= limit)
            {
                (high, best) = (middle, groups);
            }
            else
            {
                low = middle;
            }
        }

        return Choose(structure, families, scores, high, int.MaxValue);
    }

    /// <summary>The least important groups, so many that a share of the dense network's is gone; a pool at a time, widths rounded.</summary>
    private List<PruningGroup> Choose(NetworkStructure structure, IReadOnlyList<GroupFamily> families, double[][] scores, double share, int most,
        bool isRounded = true)
    {
        var left = families.Select(family => family.Groups.Length).ToArray();
        var candidates = new GroupCandidates(structure, families, scores);
        foreach (var pool in candidates.Order.GroupBy(candidate => Options.Scope.IsTogether ? 0 : candidate.Family).Select(pool => pool.ToArray()))
        {
            var widths = Options.Scope.IsTogether ? Before : Before.Where(width => width.Key == Key(families[pool[0].Family].Axis));
            var (dense, start) = (widths.Sum(width => width.Value.Dense), widths.Sum(width => width.Value.Start));
            // Widths that are not among the families have one group left.
            var now = pool.Length + widths.Count() - pool.Select(candidate => candidate.Family).Distinct().Count();
            var missing = Math.Min(Target(share, dense, start) - (dense - now), most);
            foreach (var candidate in pool)
            {
                if (missing > 0 && left[candidate.Family] > Least(families[candidate.Family]))
                {
                    left[candidate.Family]--;
                    missing--;
                }
            }
        }

        for (var f = 0; f < left.Length && isRounded; f++)
        {
            left[f] = Rounded(structure, families[f], left[f]);
        }

        return candidates.Least(left);
    }

    /// <summary>Groups that are gone of some widths when a share is.</summary>
    private long Target(double share, int dense, int start) => Options.Amount is { IsOfRemaining: true, Budget: null }
        ? dense - start + (long)Math.Round((share - Gone) / (1 - Gone) * start, MidpointRounding.ToEven)
        : (long)Math.Round(share * dense, MidpointRounding.ToEven);

    /// <summary>Groups of a family that stay.</summary>
    private int Least(GroupFamily family) => Math.Max(1, (int)(Options.MinimumKept * Before[Key(family.Axis)].Dense));

    /// <summary>The width that is nearest to the one aimed at and a multiple of the alignment.</summary>
    private int Rounded(NetworkStructure structure, GroupFamily family, int exact)
    {
        // A greedy schedule removes too few at a time to round them.
        var alignment = Multiple(family, Options.Alignment ?? (Options.Schedule.BatchSize is null ? null : 1));
        var (now, before) = (family.Groups.Length, Before[Key(family.Axis)].Start);
        if (alignment <= 1 || before < alignment || exact == before)
        {
            return exact;
        }

        var least = Math.Max(alignment, (Least(family) + alignment - 1) / alignment * alignment);
        var width = Math.Clamp((exact + alignment / 2) / alignment * alignment, Math.Min(least, now), now);
        _rounded[Key(family.Axis)] = (exact, alignment);
        return width;
    }

    /// <summary>What a family's width is rounded to a multiple of; at most 1 for nothing.</summary>
    internal static int Multiple(GroupFamily family, int? asked)
    {
        // Where several channels go together, as through a channel shuffle, they count together.
        var channels = Math.Max(1, family.Axis.Classes.Length / family.Groups.Length);
        var dense = family.Kind == StructureKind.Channel && family.Axis.Node.Operator == "Conv" && family.Axis.Node.Int("group", 1) == 1;
        return (asked ?? (dense ? BlockedChannels : 1)) / channels;
    }

    /// <summary>A width.</summary>
    /// <param name="Layer">Name of the layer that makes it.</param>
    /// <param name="Kind">What its groups are.</param>
    /// <param name="Dense">Groups of the dense network.</param>
    /// <param name="Start">Those at the start.</param>
    /// <param name="CanShrink">False where a removal left one before.</param>
    private sealed record Width(string Layer, StructureKind Kind, int Dense, int Start, bool CanShrink);
}
