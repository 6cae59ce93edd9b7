using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Removes groups: neurons, channels, heads, hidden units.</summary>
internal sealed class GroupPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores) : RemovalPlan(options, start, scores)
{
    private const int BlockedChannels = 16;
    private const int Bisections = 20;
    private readonly Dictionary<(string, int), (int Groups, string Layer, StructureKind Kind)> _before = [];
    private readonly Dictionary<(string, int), (int Exact, int Alignment)> _rounded = [];

    /// <summary>What removed the groups of the last step; null where it removed none.</summary>
    public StructureSurgery? Surgery { get; private set; }

    protected override int Total => Before.Values.Sum(family => family.Groups);

    private Dictionary<(string, int), (int Groups, string Layer, StructureKind Kind)> Before
    {
        get
        {
            if (_before.Count == 0)
            {
                foreach (var family in Families(Start.Network.Groups(Options.Granularity.Structure)))
                {
                    _before[Key(family)] = (family.Groups.Length, family.Axis.Node.Name, family.Kind);
                }
            }

            return _before;
        }
    }

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var after = Families(network.Network.Groups(Options.Granularity.Structure)).ToDictionary(Key, family => family.Groups.Length);
        return base.Complete(report, network) with
        {
            Widths = [.. Before.Select(family => after.GetValueOrDefault(family.Key, 1) is var width && _rounded.TryGetValue(family.Key, out var rounded)
                ? new LayerWidth(family.Value.Layer, family.Value.Kind, family.Value.Groups, width, rounded.Exact, rounded.Alignment)
                : new LayerWidth(family.Value.Layer, family.Value.Kind, family.Value.Groups, width, width, 1))],
        };
    }

    protected override int Pieces(Network network)
    {
        var widths = network.Groups(Options.Granularity.Structure).Families.ToDictionary(Key, family => family.Groups.Length);
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
            .Select(layer => (layer.Layer, (PruningPlan)new GroupPlan(Options.Within(layer.Layer, Amount.Count(layer.Lost)), Start, First)))];
    }

    protected override PrunedNetwork Remove(PrunedNetwork good, double share, int most, ImportanceScores scores)
    {
        var network = good.Network;
        var structure = network.Groups(Options.Granularity.Structure);
        var families = Families(structure);
        if (Options.Amount.Budget is not null && Cost(network) <= (1 - share) * Cost(Start.Network))
        {
            return good;
        }

        var worth = Score(structure, families, network, scores);
        var groups = Options.Amount.Budget is null ? Choose(structure, families, worth, share, most)
            : most == int.MaxValue ? Search(network, structure, families, worth, share)
            : Choose(structure, families, worth, 1, most) is { Count: > 0 } portion ? portion : throw Unreachable(share, Cost(network));
        Compare(network, families, worth, groups);
        if (groups.Count == 0)
        {
            return good;
        }

        Surgery = new StructureSurgery(structure, groups);
        return good.Without(Surgery);
    }

    private static (string, int) Key(GroupFamily family) => (family.Axis.Parameter, family.Axis.Dimension);

    /// <param name="structure">The groups of the network at the start, or of one that is left of it.</param>
    private IReadOnlyList<GroupFamily> Families(NetworkStructure structure)
    {
        GroupFamily[] fitting = [.. structure.Families.Where(family => Options.Granularity.Kinds.Contains(family.Kind))];
        if (fitting.Length == 0 && structure.Coupling.Graph != Start.Network.Graph)
        {
            // Nothing is left that could go.
            return [];
        }

        if (fitting.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{Options.Granularity}': the network has {(structure.Families.Length == 0 ? "no groups that can be removed"
                : string.Join(", ", structure.Families.Select(family => $"{family.Axis.Node.Name} ({family.Kind})")))}.{string.Concat(structure.Reasons().Select(reason => Environment.NewLine + reason))}");
        }

        var chosen = Options.Scope.Choose(fitting, family => (family.Axis.Node.Name, family.Axis.Parameter));
        return chosen.Count > 0 ? chosen : throw new ArgumentException($"No layer can be pruned with granularity '{Options.Granularity}': all are excepted.");
    }

    private double[][] Score(NetworkStructure structure, IReadOnlyList<GroupFamily> families, Network network, ImportanceScores scores)
        => GroupScores.Of(structure, network, families, scores, Options.Group, Options.Normalize && Options.Scope.IsTogether,
            Options.CancellationToken);

    private PruningTargetException Unreachable(double target, long least) => new(
        $"The target is {(1 - target) * Cost(Start.Network):0} of {Cost(Start.Network)} ({Options.Amount}), but with {(Options.MinimumKept > 0 ? $"a share of {Options.MinimumKept}" : "one group")} left in every layer in scope the network still has {least}.");

    /// <summary>Records what went, by the numbers that groups had at the start.</summary>
    private void Compare(Network network, IReadOnlyList<GroupFamily> families, double[][] scores, List<PruningGroup> groups)
    {
        var first = Families(Start.Network.Groups(Options.Granularity.Structure));
        if (Record.Pools.Count == 0)
        {
            var tables = first.Select(GroupTables.Of).ToList();
            Record.Pools.AddRange(Options.Scope.IsTogether ? [new() { Tables = tables }] : tables.Select(table => new PiecePool { Tables = [table] }));
        }

        var (kept, going) = (new KeptIndices(Start.Network, network), groups.ToHashSet());
        var outcomes = first.Select(family => families.ToList().FindIndex(other => Key(other) == Key(family)) is >= 0 and var now
            ? GroupTables.Outcome(family, families[now], scores[now], kept, going) : new PieceOutcome(new float[family.Groups.Length], new bool[family.Groups.Length], new bool[family.Groups.Length])).ToArray();
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
        var limit = (1 - target) * Cost(Start.Network);
        var sketch = network.WithoutValues();
        long Left(List<PruningGroup> groups) => groups.Count == 0 ? Cost(network) : Cost(new StructureSurgery(structure, groups).Remove(sketch));
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

    /// <summary>The least important groups, so many that a share of those at the start is gone; a pool at a time, widths rounded.</summary>
    private List<PruningGroup> Choose(NetworkStructure structure, IReadOnlyList<GroupFamily> families, double[][] scores, double share, int most, bool isRounded = true)
    {
        var left = families.Select(family => family.Groups.Length).ToArray();
        var order = families.SelectMany((family, f) => family.Groups.Select((group, i) => (Family: f, Group: group, Score: scores[f][i]))).OrderBy(piece => piece.Score).ToArray();
        foreach (var pool in Options.Scope.IsTogether ? [order] : order.GroupBy(piece => piece.Family).Select(pool => pool.ToArray()))
        {
            var before = pool.Select(piece => piece.Family).Distinct().Sum(f => Before[Key(families[f])].Groups);
            var missing = (long)Math.Round(share * before, MidpointRounding.ToEven) - (before - pool.Length);
            missing = Math.Min(missing, most);
            foreach (var piece in pool)
            {
                if (missing > 0 && left[piece.Family] > Least(families[piece.Family]))
                {
                    left[piece.Family]--;
                    missing--;
                }
            }
        }

        for (var f = 0; f < left.Length && isRounded; f++)
        {
            left[f] = Rounded(structure, families[f], left[f]);
        }

        var chosen = new List<PruningGroup>();
        foreach (var piece in order.GroupBy(piece => piece.Family))
        {
            chosen.AddRange(piece.Take(families[piece.Key].Groups.Length - left[piece.Key]).Select(one => one.Group));
        }

        return KeepOne(structure, chosen, order);
    }

    /// <summary>Groups of a family that stay.</summary>
    private int Least(GroupFamily family) => Math.Max(1, (int)(Options.MinimumKept * Before[Key(family)].Groups));

    /// <summary>The width that is nearest to the one aimed at and a multiple of the alignment.</summary>
    private int Rounded(NetworkStructure structure, GroupFamily family, int exact)
    {
        // A greedy schedule removes too few at a time to round them.
        var alignment = Multiple(family, Options.Alignment ?? (Options.Schedule.Portion is null ? null : 1));
        var (now, before) = (family.Groups.Length, Before[Key(family)].Groups);
        if (alignment <= 1 || before < alignment || exact == before)
        {
            return exact;
        }

        var least = Math.Max(alignment, (Least(family) + alignment - 1) / alignment * alignment);
        var width = Math.Clamp((exact + alignment / 2) / alignment * alignment, Math.Min(least, now), now);
        _rounded[Key(family)] = (exact, alignment);
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

    /// <summary>Gives back the most important group of whatever would be left with nothing, such as one part of a split.</summary>
    internal static List<PruningGroup> KeepOne(NetworkStructure structure, List<PruningGroup> chosen, (int Family, PruningGroup Group, double Score)[] order)
    {
        while (chosen.Count > 0 && new StructureSurgery(structure, chosen).Emptied().FirstOrDefault() is { Name: not null } emptied)
        {
            var roots = emptied.Classes.Select(structure.Coupling.Classes.Find).ToHashSet();
            var back = order.Last(piece => roots.Contains(piece.Group.Root)).Group;
            chosen.Remove(back);
        }

        return chosen;
    }
}
