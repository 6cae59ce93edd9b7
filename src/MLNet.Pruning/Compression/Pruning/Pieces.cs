namespace MLNet.Pruning;

/// <summary>The pieces of one granularity with their importance: single weights or slices.</summary>
internal sealed class Pieces(Importance importance, Granularity granularity)
{
    /// <summary>The pools of a scope; thresholds look at each parameter by itself.</summary>
    public IReadOnlyList<IReadOnlyList<PoolMember>> Pools(PrunedNetwork network, Scope scope, Amount amount)
    {
        var pools = network.Pools(scope, granularity).Select(pool => pool.Select(network.Member));
        return amount.IsThreshold
            ? [.. pools.SelectMany(pool => pool.Select(member => new[] { member }))]
            : [.. pools.Select(pool => pool.ToArray())];
    }

    /// <summary>Pieces to drop out of those that remain in a pool.</summary>
    public long Resolve(IReadOnlyList<PoolMember> pool, Amount amount)
    {
        if (granularity.IsSingle)
        {
            var weights = new WeightSelection(pool, importance);
            return amount.IsThreshold ? weights.CountBelow(amount) : amount.Resolve(weights.Remaining);
        }

        var slices = new SliceSelection(pool, importance, granularity);
        return amount.IsThreshold ? slices.CountBelow(amount) : amount.Resolve(slices.Remaining);
    }

    /// <summary>Masks after dropping so many of the remaining pieces, in the order of the pool.</summary>
    public WeightMask[] Drop(IReadOnlyList<PoolMember> pool, long drop) => granularity.IsSingle
        ? new WeightSelection(pool, importance).Drop(drop)
        : new SliceSelection(pool, importance, granularity).Drop(drop);

    /// <summary>Pieces of a pool that are dropped, and all of them.</summary>
    public (long Dropped, long Total) Count(IReadOnlyList<PoolMember> pool)
    {
        if (granularity.IsSingle)
        {
            var total = pool.Sum(member => (long)member.Parameter.Count);
            return (total - new WeightSelection(pool, importance).Remaining, total);
        }

        var slices = new SliceSelection(pool, importance, granularity);
        return (slices.Total - slices.Remaining, slices.Total);
    }
}
