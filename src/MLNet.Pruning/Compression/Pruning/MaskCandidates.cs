using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Compression.Pruning.Selection;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Weights and structures of weights that are set to zero and held there by masks.</summary>
internal sealed class MaskCandidates : Candidates
{
    private readonly IReadOnlyList<PoolMember>[] _pools;
    private readonly CandidateSelection[] _selections;

    /// <summary>A search asks for the same numbers again and again.</summary>
    private readonly Dictionary<(int Pool, long Drop), WeightMask[]> _masks = [];

    /// <inheritdoc cref="Candidates.Of"/>
    public MaskCandidates(SelectionOptions options, PrunedNetwork start, ImportanceScores scores, bool isApart)
        : this(options, start, start, scores, Divide(options.Scope.Chosen(start, options.Granularity), isApart))
    {
    }

    private MaskCandidates(SelectionOptions options, PrunedNetwork start, PrunedNetwork now, ImportanceScores scores,
        IEnumerable<IReadOnlyList<PoolMember>> pools) : base(options, start, now, scores)
    {
        _pools = [.. pools];
        _selections = [.. _pools.Select(Selection)];
        Pools = [.. _pools.Zip(_selections, (pool, selection) => new CandidatePoolSize([.. pool.Select(member => (member.Layer, member.Parameter.Name))],
            selection.Total, selection.Dropped))];
    }

    public override IReadOnlyList<CandidatePoolSize> Pools { get; }

    /// <summary>Refuses amounts that do not go with the granularity or with the distribution.</summary>
    /// <exception cref="ArgumentException">Names both.</exception>
    public static void Check(Granularity granularity, Scope scope, Amount amount)
    {
        if (granularity.FixedAmount is { } fixedAmount && !amount.IsSameAs(fixedAmount))
        {
            throw new ArgumentException($"Granularity '{granularity}' is itself the amount {fixedAmount}, but the requested amount is {amount}: leave it out.",
                nameof(amount));
        }

        if (scope.Distribution.IsAllocated && (amount.IsThreshold || granularity.Pattern is not null))
        {
            throw new ArgumentException($"The distribution '{scope.Distribution}' spreads a total over the layers, but "
                + $"{(amount.IsThreshold ? $"the amount {amount}" : $"granularity '{granularity}'")} says for each layer what goes.", nameof(scope));
        }
    }

    public override Candidates In(PrunedNetwork now, ImportanceScores measured) => new MaskCandidates(Options, Start, now, measured,
        _pools.Select(pool => (IReadOnlyList<PoolMember>)[.. pool.Select(member => now.Member(member.Parameter.Name))]));

    public override Candidates Within(string layer)
        => new MaskCandidates(Options, Start, Now, Scores, Divide([.. _pools.SelectMany(pool => pool).Where(member => member.Layer == layer)], isApart: true));

    /// <summary>Every parameter in scope has a mask.</summary>
    public override PrunedNetwork Open(PrunedNetwork now)
        => _pools.All(pool => pool.All(member => now.Masks.ContainsKey(member.Parameter.Name))) ? now : In(now, Scores).Drop(new long[_pools.Length]);

    public override PrunedNetwork Drop(IReadOnlyList<long> drops, CandidateRecord? record = null)
    {
        var (masks, changed) = (Now.Masks.ToBuilder(), false);
        for (var p = 0; p < _pools.Length; p++)
        {
            var drop = Math.Min(drops[p], Room(p));
            var after = Masks(p, Math.Max(0, drop));
            foreach (var (member, mask) in _pools[p].Zip(after))
            {
                changed |= drop > 0 || !masks.ContainsKey(member.Parameter.Name);
                masks[member.Parameter.Name] = mask;
            }

            Note(record, p, drop > 0, () => _pools[p].Zip(_selections[p].Scores(), after).Select(one => Layout(one.First).Layout is var layout
                ? new CandidateOutcome(one.Second, layout.Alive(one.First.Mask), layout.Alive(one.Third)) : default));
        }

        return changed ? new(Now.Weights, masks.ToImmutable(), Now.Checkpoints) : Now;
    }

    public override long Room(int pool) => Room(_pools[pool], _selections[pool]);

    public override Network Outline(IReadOnlyList<long> drops) => Drop(drops).Network;

    public override IReadOnlyList<(string Layer, long Lost)> Losses(IReadOnlyList<long> drops, bool isRounded = true)
        => [.. _pools.SelectMany((pool, p) => pool.Zip(Masks(p, drops[p]), (member, mask)
            => (member.Layer, Selection([member with { Mask = mask }]).Dropped - Selection([member]).Dropped)))];

    public override (double Sparsity, long Left) Describe(PrunedNetwork now)
    {
        long total = now.Masks.Values.Sum(mask => (long)mask.Count), left = now.Masks.Values.Sum(mask => (long)mask.Kept);
        return (1 - (double)left / total, left);
    }

    public override CandidateRecord NewRecord() => new() { Pools = [.. _pools.Select(pool => new CandidatePool { Tables = [.. pool.Select(Table)] })] };

    public override IEnumerable<string> Choices(IReadOnlyList<IEnumerable<long>> drops) => drops.SelectMany((numbers, p)
        => numbers.SelectMany(drop => Masks(p, drop)).Select(mask => Convert.ToBase64String(MemoryMarshal.AsBytes(mask.Words))));

    protected override long CountBelow(int pool, Amount amount) => _selections[pool].CountBelow(amount);

    protected override IReadOnlyList<long> Allocate(long keep) => Options.Scope.Distribution.Allocate([.. _pools.Select(pool => pool[0])],
        [.. Pools.Select(pool => pool.Total)], [.. Pools.Select(pool => pool.Total - pool.Gone)], keep);

    private static IEnumerable<IReadOnlyList<PoolMember>> Divide(IReadOnlyList<PoolMember> members, bool isApart)
        => isApart ? members.Select(member => new[] { member }) : [members];

    /// <summary>Masks after dropping so many of the remaining candidates of a pool, in its order.</summary>
    private WeightMask[] Masks(int pool, long drop)
        => _masks.TryGetValue((pool, drop), out var masks) ? masks : _masks[(pool, drop)] = Least(_pools[pool], _selections[pool], drop);

    private WeightMask[] Least(IReadOnlyList<PoolMember> pool, CandidateSelection selection, long drop)
    {
        if (Options.MinimumKept == 0)
        {
            return selection.Drop(drop);
        }

        var masks = new WeightMask[pool.Count];
        List<int> open = [.. Enumerable.Range(0, pool.Count)];
        drop = Math.Min(drop, Room(pool, selection));
        while (open.Count > 0)
        {
            // A weight that would lose more than it may loses what it may, and the others are compared again for the rest.
            var dropped = Selection([.. open.Select(i => pool[i])]).Drop(drop);
            var full = open.Where((i, place) => Room(pool[i] with { Mask = dropped[place] }) < Math.Min(0, Room(pool[i]))).ToArray();
            if (full.Length == 0)
            {
                for (var place = 0; place < open.Count; place++)
                {
                    masks[open[place]] = dropped[place];
                }

                break;
            }

            foreach (var i in full)
            {
                var room = Math.Max(0, Room(pool[i]));
                masks[i] = Selection([pool[i]]).Drop(room)[0];
                drop -= room;
                open.Remove(i);
            }
        }

        return masks;
    }

    /// <summary>Candidates of a pool that may still go, with those left that every weight keeps.</summary>
    private long Room(IReadOnlyList<PoolMember> pool, CandidateSelection selection)
        => Options.MinimumKept == 0 ? selection.Total - selection.Dropped : pool.Sum(member => Math.Max(0, Room(member)));

    /// <summary>Candidates of a weight that may still go; negative where more are gone than may be.</summary>
    private long Room(PoolMember member)
    {
        var selection = Selection([member]);
        var kept = Options.MinimumKept > 0 && Options.Granularity.Pattern is null ? Math.Max(1, (long)(Options.MinimumKept * selection.Total)) : 0;
        return selection.Total - selection.Dropped - kept;
    }

    private CandidateSelection Selection(IReadOnlyList<PoolMember> pool)
        => Options.Granularity.Pattern is { } pattern ? new PatternSelection(pool, Scores.InPattern(pattern), pattern, Options.CancellationToken)
        : Options.Granularity.IsSingle ? new WeightSelection(pool, Options.Scope.Distribution.IsLamp ? new LampScores(Scores, pool, Options.CancellationToken)
            : Scores, Options.CancellationToken)
        : new SliceSelection(pool, Scores, Options.Granularity, Options.Scope.Distribution, Options.CancellationToken);

    /// <summary>What a candidate of a member is, and which groups of how many inputs are compared by themselves, if any.</summary>
    private (StructureLayout Layout, int? Pattern) Layout(PoolMember member) => Options.Granularity.IsSingle || Options.Granularity.Pattern is not null
        ? (StructureLayout.Single(member.Parameter), Options.Granularity.Pattern?.Size)
        : (Options.Granularity.Structures(member.Parameter, member.Axes), null);

    private CandidateTable Table(PoolMember member)
    {
        var (layout, pattern) = Layout(member);
        return new(member.Parameter.Name, member.Layer, member.Parameter.Shape, layout)
        {
            Pattern = pattern is { } size ? (size, member.Parameter.Shape.Skip(member.Axes.Input + 1).Aggregate(1, (product, inner) => product * inner)) : null,
        };
    }
}
