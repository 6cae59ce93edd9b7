using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Groups that are removed: neurons, channels, heads, hidden units.</summary>
internal sealed class GroupCandidates : Candidates
{
    private const int BlockedChannels = 16;

    private readonly Width[] _widths;
    private readonly int[][] _pools;
    private readonly NetworkStructure _structure;

    /// <summary>What is left of each width; null where that is one group, which cannot go.</summary>
    private readonly GroupFamily?[] _families;
    private readonly Lazy<double[][]> _worth;
    private readonly Lazy<Candidate[]> _order;
    private readonly Lazy<Network> _outline;

    /// <summary>For widths that were rounded what the amount alone would have left, and to a multiple of what.</summary>
    private readonly Dictionary<(string Parameter, int Dimension, int Width), (int Exact, int Multiple)> _rounded;

    /// <inheritdoc cref="Candidates.Of"/>
    public GroupCandidates(SelectionOptions options, PrunedNetwork start, ImportanceScores scores, bool isApart)
        : this(options, start, start, scores, Choose(options, start.Network), isApart, [])
    {
    }

    private GroupCandidates(SelectionOptions options, PrunedNetwork start, PrunedNetwork now, ImportanceScores scores, Width[] widths, bool isApart,
        Dictionary<(string, int, int), (int, int)> rounded) : base(options, start, now, scores)
    {
        (_widths, _rounded, _structure) = (widths, rounded, now.Network.Groups(options.Granularity.Structure));
        // A width that cannot shrink is no pool of its own.
        _pools = isApart ? [.. Enumerable.Range(0, widths.Length).Where(w => widths[w].First is not null).Select(w => new[] { w })]
            : [[.. Enumerable.Range(0, widths.Length)]];
        var left = _structure.Families.ToDictionary(family => Key(family.Axis));
        _families = [.. widths.Select(width => left.GetValueOrDefault(width.Key))];
        Pools = [.. _pools.Select(pool => new CandidatePoolSize([.. pool.Select(w => (widths[w].Layer, widths[w].Key.Parameter))],
            pool.Sum(w => widths[w].Dense), pool.Sum(w => widths[w].Dense - Left(w)), pool.Max(w => Multiple(w, options.Alignment)), pool.Length))];
        _worth = new(Score);
        _order = new(() => [.. Enumerable.Range(0, widths.Length).Where(w => _families[w] is not null)
            .SelectMany(w => _families[w]!.Groups.Select((group, i) => new Candidate(w, group, _worth.Value[w][i]))).OrderBy(one => one.Score)]);
        _outline = new(() => now.Network.WithoutValues());
    }

    public override IReadOnlyList<CandidatePoolSize> Pools { get; }

    /// <summary>What removed the groups that <see cref="Drop"/> took last; null where it took none.</summary>
    public StructureRemoval? Removal { get; private set; }

    private bool IsApart => _pools.All(pool => pool.Length == 1);

    public override Candidates In(PrunedNetwork now, ImportanceScores measured)
        => new GroupCandidates(Options, Start, now, measured, _widths, IsApart, _rounded);

    public override Candidates Within(string layer)
        => new GroupCandidates(Options, Start, Now, Scores, [.. _widths.Where(width => width.Layer == layer)], isApart: true, _rounded);

    public override PrunedNetwork Drop(IReadOnlyList<long> drops, CandidateRecord? record = null)
    {
        var groups = Choose(drops, isRounded: true);
        Removal = groups.Count == 0 ? null : new StructureRemoval(_structure, groups);
        var (kept, going) = (new KeptIndices(Start.Network, Now.Network), groups.ToHashSet());
        for (var p = 0; p < _pools.Length; p++)
        {
            Note(record, p, _pools[p].Any(w => _families[w]?.Groups.Any(going.Contains) == true), () => _pools[p].Where(w => _widths[w].First is not null)
                .Select(w => GroupTables.Outcome(_widths[w].First!, _families[w], _worth.Value[w], kept, going)));
        }

        var pruned = Removal is null ? Now : Now.Without(Removal);
        var exact = Left(drops);
        for (var w = 0; w < _widths.Length; w++)
        {
            // Counted here: the groups of the smaller network, which a walk of its graph finds, may never be wanted.
            if (_families[w] is { } family && Rounded(w, exact[w]).Multiple is > 1 and var multiple)
            {
                _rounded[(_widths[w].Key.Parameter, _widths[w].Key.Dimension, family.Groups.Count(group => !going.Contains(group)))] = (exact[w], multiple);
            }
        }

        return pruned;
    }

    public override long Room(int pool) => _pools[pool].Sum(w => Math.Max(0, Left(w) - Least(w)));

    public override Network Outline(IReadOnlyList<long> drops) => Choose(drops, isRounded: true) is { Count: > 0 } groups
        ? new StructureRemoval(_structure, groups).Remove(_outline.Value) : _outline.Value;

    public override IReadOnlyList<(string Layer, long Lost)> Losses(IReadOnlyList<long> drops, bool isRounded = true)
    {
        var groups = Choose(drops, isRounded).ToHashSet();
        return [.. _pools.SelectMany(pool => pool.Where(w => _widths[w].First is not null))
            .Select(w => (_widths[w].Layer, _families[w]?.Groups.LongCount(groups.Contains) ?? 0))];
    }

    public override (double Sparsity, long Left) Describe(PrunedNetwork now)
    {
        var widths = Widths(now);
        return (1 - (double)_widths.Sum(width => widths.GetValueOrDefault(width.Key, 1)) / _widths.Sum(width => width.Dense), now.Network.ParameterCount);
    }

    public override CandidateRecord NewRecord() => new()
    {
        Pools = [.. _pools.Select(pool => new CandidatePool { Tables = [.. pool.Select(w => _widths[w].First).OfType<GroupFamily>().Select(GroupTables.Of)] })],
    };

    public override IEnumerable<string> Choices(IReadOnlyList<IEnumerable<long>> drops) => _order.Value.GroupBy(one => one.Width)
        .Select(width => string.Join(' ', width.Select(one => one.Group.Number.ToString(CultureInfo.InvariantCulture))));

    public override IEnumerable<string> Reasons() => _structure.Reasons();

    public override PruningReport Complete(PruningReport report, PrunedNetwork after)
    {
        var left = Widths(after);
        return report with
        {
            Widths = [.. _widths.Where(width => width.First is not null).Select(width => left.GetValueOrDefault(width.Key, 1) is var now
                && _rounded.TryGetValue((width.Key.Parameter, width.Key.Dimension, now), out var rounded)
                ? new LayerWidth(width.Layer, width.Kind, width.Start, now, rounded.Exact, rounded.Multiple)
                : new LayerWidth(width.Layer, width.Kind, width.Start, now, now, 1))],
        };
    }

    protected override long CountBelow(int pool, Amount amount)
    {
        var scores = _worth.Value[_pools[pool][0]];
        var threshold = amount.Threshold(scores.Average(), scores.Max());
        return scores.LongCount(score => score < threshold);
    }

    private static (string Parameter, int Dimension) Key(ParameterAxis axis) => (axis.Parameter, axis.Dimension);

    /// <summary>The widths in scope: those with groups that could go, and those of which removals before left one.</summary>
    private static Width[] Choose(SelectionOptions options, Network network)
    {
        var (structure, granularity) = (network.Groups(options.Granularity.Structure), options.Granularity);
        Width[] fitting = [.. structure.Families.Select(family => Width.Of(network, family.Axis, family.Kind, family)).Concat(Ones(network, structure))
            .Where(width => granularity.Kinds.Contains(width.Kind))];
        if (fitting.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{granularity}': the network has {(structure.Families.Length == 0
                ? "no groups that can be removed" : string.Join(", ", structure.Families.Select(family => $"{family.Axis.Node.Name} ({family.Kind})")))}."
                + string.Concat(structure.Reasons().Select(reason => Environment.NewLine + reason)));
        }

        var chosen = options.Scope.Choose(fitting, width => (width.Layer, width.Key.Parameter));
        return chosen.Count > 0 ? [.. chosen] : throw new ArgumentException($"No layer can be pruned with granularity '{granularity}': all are excepted.");
    }

    private static IEnumerable<Width> Ones(Network network, NetworkStructure structure)
    {
        var (coupling, removals) = (structure.Coupling, KeptMetadata.Read(network.Graph.Metadata));
        var heads = coupling.Heads.Select(coupling.Classes.Find).ToHashSet();
        var known = structure.Select(group => group.Root).ToHashSet();
        foreach (var axis in coupling.Axes.Where(axis => axis.Role == AxisRole.Output && removals.TryGetValue(axis.Parameter, out var removal)
            && removal.Kept.ContainsKey(axis.Dimension)))
        {
            int[] roots = [.. axis.Classes.Select(coupling.Classes.Find)];
            if (roots.Length > 0 && !roots.Any(known.Contains))
            {
                known.UnionWith(roots);
                yield return Width.Of(network, axis, heads.Contains(roots[0]) ? StructureKind.Head : axis.Kind, null);
            }
        }
    }

    /// <summary>How many groups a network has of each width of which any could go.</summary>
    private Dictionary<(string, int), int> Widths(PrunedNetwork one)
        => one.Network.Groups(Options.Granularity.Structure).Families.ToDictionary(family => Key(family.Axis), family => family.Groups.Length);

    private int Left(int width) => _families[width]?.Groups.Length ?? 1;

    private double[][] Score()
    {
        GroupFamily[] families = [.. _families.OfType<GroupFamily>()];
        var scores = GroupScores.Of(_structure, Now.Network, families, Scores, Options.GroupReduction, Options.Normalize && Options.Scope.IsTogether,
            Options.CancellationToken);
        var next = 0;
        return [.. _families.Select(family => family is null ? [] : scores[next++])];
    }

    /// <summary>
    /// The least important groups of each pool; more or fewer where widths are rounded, and fewer where something would be left with nothing, such as one
    /// part of a split.
    /// </summary>
    private List<PruningGroup> Choose(IReadOnlyList<long> drops, bool isRounded)
    {
        var left = Left(drops);
        for (var w = 0; w < left.Length && isRounded; w++)
        {
            left[w] = Rounded(w, left[w]).Width;
        }

        int[] going = [.. left.Select((stay, w) => Left(w) - stay)];
        List<PruningGroup> chosen = [.. _order.Value.Where(one => going[one.Width]-- > 0).Select(one => one.Group)];
        while (chosen.Count > 0 && new StructureRemoval(_structure, chosen).Emptied().FirstOrDefault() is { Name: not null } emptied)
        {
            // The most important of what would be left with nothing stays.
            var roots = emptied.Classes.Select(_structure.Coupling.Classes.Find).ToHashSet();
            chosen.Remove(_order.Value.Last(one => roots.Contains(one.Group.Root)).Group);
        }

        return chosen;
    }

    /// <summary>Groups of each width that the least important of each pool leave.</summary>
    private int[] Left(IReadOnlyList<long> drops)
    {
        var (left, missing, poolOf) = (Enumerable.Range(0, _widths.Length).Select(Left).ToArray(), drops.ToArray(), new int[_widths.Length]);
        foreach (var (p, pool) in _pools.Index())
        {
            Array.ForEach(pool, w => poolOf[w] = p);
        }

        foreach (var (width, _, _) in _order.Value)
        {
            if (missing[poolOf[width]] > 0 && left[width] > Least(width))
            {
                left[width]--;
                missing[poolOf[width]]--;
            }
        }

        return left;
    }

    /// <summary>Groups of a width that stay.</summary>
    private int Least(int width) => Math.Max(1, (int)(Options.MinimumKept * _widths[width].Dense));

    /// <summary>The width that is nearest to the one aimed at and a multiple of the alignment.</summary>
    private (int Width, int Multiple) Rounded(int w, int exact)
    {
        // A greedy schedule removes too few at a time to round them.
        var multiple = Multiple(w, Options.Alignment ?? (Options.Schedule.BatchSize is null ? null : 1));
        if (multiple == 1 || exact == _widths[w].Start)
        {
            return (exact, 1);
        }

        var (now, least) = (Left(w), Math.Max(multiple, (Least(w) + multiple - 1) / multiple * multiple));
        return (Math.Clamp((exact + multiple / 2) / multiple * multiple, Math.Min(least, now), now), multiple);
    }

    /// <summary>What a width is rounded to a multiple of; 1 for one that is smaller.</summary>
    private int Multiple(int w, int? asked)
    {
        if (_widths[w].First is not { } family)
        {
            return 1;
        }

        // Where several channels go together, as through a channel shuffle, they count together.
        var channels = Math.Max(1, family.Axis.Classes.Length / family.Groups.Length);
        var dense = family.Kind == StructureKind.Channel && family.Axis.Node.Operator == "Conv" && family.Axis.Node.Int("group", 1) == 1;
        var multiple = (asked ?? (dense ? BlockedChannels : 1)) / channels;
        return multiple > 1 && multiple <= family.Groups.Length ? multiple : 1;
    }

    /// <summary>A group that could go.</summary>
    /// <param name="Width">Number of its width.</param>
    /// <param name="Group">The group.</param>
    /// <param name="Score">How important it is.</param>
    private sealed record Candidate(int Width, PruningGroup Group, double Score);

    /// <summary>A width.</summary>
    /// <param name="Key">The dimension that makes it.</param>
    /// <param name="Layer">Name of the layer that makes it.</param>
    /// <param name="Kind">What its groups are.</param>
    /// <param name="Dense">Groups of the dense network.</param>
    /// <param name="First">Its groups at the start; null where a removal before left one.</param>
    private sealed record Width((string Parameter, int Dimension) Key, string Layer, StructureKind Kind, int Dense, GroupFamily? First)
    {
        /// <summary>Groups at the start.</summary>
        public int Start => First?.Groups.Length ?? 1;

        public static Width Of(Network network, ParameterAxis axis, StructureKind kind, GroupFamily? family)
        {
            var size = family is null ? axis.Classes.Length
                : family.Groups[0].Entries.Count(entry => family.Groups[0].Structure.Coupling.Axes[entry.Axis] == axis);
            var gone = KeptMetadata.Read(network.Graph.Metadata).TryGetValue(axis.Parameter, out var removal)
                ? (removal.Shape[axis.Dimension] - axis.Classes.Length) / size : 0;
            return new(GroupCandidates.Key(axis), axis.Node.Name, kind, (family?.Groups.Length ?? 1) + gone, family);
        }
    }
}
