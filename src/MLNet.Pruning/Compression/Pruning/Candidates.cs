using MLNet.Pruning.Compression.Pruning.Selection;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>The candidates of one granularity with their importance, and how many of them an amount is.</summary>
internal sealed class Candidates
{
    private readonly ImportanceScores _importance;
    private readonly Granularity _granularity;
    private readonly Scope _scope;
    private readonly Amount _amount;
    private readonly double _minimumKept;
    private readonly CancellationToken _cancellation;

    /// <exception cref="ArgumentException">The amount does not go with the granularity or with the scope's distribution.</exception>
    public Candidates(ImportanceScores importance, Granularity granularity, Scope scope, Amount amount, double minimumKept = 0,
        CancellationToken cancellation = default)
    {
        (_importance, _granularity, _scope, _amount) = (importance, granularity, scope, amount);
        (_minimumKept, _cancellation) = (minimumKept, cancellation);
        Check(granularity, scope, amount);
    }

    /// <summary>The same candidates by other scores.</summary>
    public Candidates With(ImportanceScores importance) => new(importance, _granularity, _scope, _amount, _minimumKept, _cancellation);

    /// <summary>Refuses amounts that do not go with the granularity or with the distribution.</summary>
    /// <exception cref="ArgumentException">Names both.</exception>
    public static void Check(Granularity granularity, Scope scope, Amount amount)
    {
        if (granularity.FixedAmount is { } fixedAmount && !amount.Says(fixedAmount))
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

    /// <summary>The pools of the scope; thresholds look at each parameter by itself.</summary>
    public IReadOnlyList<IReadOnlyList<PoolMember>> Pools(PrunedNetwork network)
    {
        var pools = _scope.Pools(network, _granularity);
        return _amount.IsThreshold ? [.. pools.SelectMany(pool => pool.Select(member => new[] { member }))] : pools;
    }

    /// <summary>Candidates dropped in each pool when the amount is reached, those dropped before included.</summary>
    /// <exception cref="PruningTargetException">More is dropped already.</exception>
    public long[] Targets(IReadOnlyList<IReadOnlyList<PoolMember>> pools, IReadOnlyList<(long Dropped, long Total)> counts)
    {
        if (_scope.Distribution.IsAllocated)
        {
            var (dropped, total) = (counts.Sum(count => count.Dropped), counts.Sum(count => count.Total));
            var target = _amount.Target(total, dropped);
            return target >= dropped ? [.. Allocate(pools, counts, total - target).Zip(counts, (drop, count) => count.Dropped + drop)]
                : throw Exceeded([.. pools.SelectMany(pool => pool)], target, dropped, total);
        }

        return [.. pools.Zip(counts, (pool, count) =>
        {
            var target = Selection(pool).Target(_amount);
            return target >= count.Dropped ? target : throw Exceeded(pool, target, count.Dropped, count.Total);
        })];
    }

    /// <summary>Candidates of a pool that may still go, with those left that every weight keeps.</summary>
    public long Room(IReadOnlyList<PoolMember> pool) => pool.Sum(member => Math.Max(0, Room(member)));

    /// <summary>Masks after dropping so many of the remaining candidates, at most as many as may go, in the order of the pool.</summary>
    public WeightMask[] Drop(IReadOnlyList<PoolMember> pool, long drop)
    {
        var masks = new WeightMask[pool.Count];
        List<int> open = [.. Enumerable.Range(0, pool.Count)];
        drop = _minimumKept > 0 ? Math.Min(drop, Room(pool)) : drop;
        while (open.Count > 0)
        {
            // A weight that would lose more than it may loses what it may, and the others are compared again for the rest.
            var dropped = Least([.. open.Select(i => pool[i])], drop);
            var full = _minimumKept > 0 ? open.Where((i, place) => Room(pool[i] with { Mask = dropped[place] }) < Math.Min(0, Room(pool[i]))).ToArray() : [];
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
                masks[i] = Least([pool[i]], Room([pool[i]]))[0];
                drop -= Room([pool[i]]);
                open.Remove(i);
            }
        }

        return masks;
    }

    /// <summary>Candidates of a weight that may still go; negative where more are gone than may be.</summary>
    private long Room(PoolMember member)
    {
        var (dropped, total) = Count([member]);
        var kept = _minimumKept > 0 && _granularity.Pattern is null ? Math.Max(1, (long)(_minimumKept * total)) : 0;
        return total - dropped - kept;
    }

    private WeightMask[] Least(IReadOnlyList<PoolMember> pool, long drop) => Selection(pool).Drop(drop);

    /// <summary>What the candidates of a pool are compared by, in the order of the pool.</summary>
    public IReadOnlyList<float[]> Scores(IReadOnlyList<PoolMember> pool) => Selection(pool).Scores();

    /// <summary>What a candidate of a member is, and which groups of how many inputs are compared by themselves, if any.</summary>
    public (StructureLayout Layout, int? Pattern) Layout(PoolMember member) => _granularity.IsSingle || _granularity.Pattern is not null
        ? (StructureLayout.Single(member.Parameter), _granularity.Pattern?.Size) : (_granularity.Structures(member.Parameter, member.Axes), null);

    /// <summary>Candidates of a pool that are dropped, and all of them; of N:M, weights.</summary>
    public (long Dropped, long Total) Count(IReadOnlyList<PoolMember> pool)
        => Selection(pool) is var selection ? (selection.Dropped, selection.Total) : default;

    private static PruningTargetException Exceeded(IReadOnlyList<PoolMember> pool, long target, long dropped, long total)
        => new($"The target is {target} of {total} weights or structures of {string.Join(", ", pool.Select(member => member.Parameter.Name))} "
            + $"(sparsity {(double)target / total:0.####}), but {dropped} are pruned already (sparsity {(double)dropped / total:0.####}). Amounts are of what "
                + $"the dense network has; {nameof(Amount)}.{nameof(Amount.OfRemaining)} makes them of what is left.");

    /// <summary>Candidates to drop of each pool, which holds one parameter, so that so many are kept in all.</summary>
    private long[] Allocate(IReadOnlyList<IReadOnlyList<PoolMember>> pools, IReadOnlyList<(long Dropped, long Total)> counts, long keep)
    {
        long[] remaining = [.. counts.Select(count => count.Total - count.Dropped)];
        var kept = _scope.Distribution.Allocate([.. pools.Select(pool => pool[0])], [.. counts.Select(count => count.Total)], remaining, keep);
        return [.. remaining.Zip(kept, (left, stay) => left - stay)];
    }

    private CandidateSelection Selection(IReadOnlyList<PoolMember> pool)
        => _granularity.Pattern is { } pattern ? new PatternSelection(pool, _importance, pattern, _cancellation)
        : _granularity.IsSingle ? new WeightSelection(pool, _scope.Distribution.IsLamp ? new LampScores(_importance, pool, _cancellation) : _importance,
            _cancellation)
        : new SliceSelection(pool, _importance, _granularity, _scope.Distribution, _cancellation);
}
