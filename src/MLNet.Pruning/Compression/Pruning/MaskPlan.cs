namespace MLNet.Pruning;

/// <summary>Sets pieces to zero and holds them there by masks.</summary>
internal sealed class MaskPlan : PruningPlan
{
    private readonly Pieces _pieces;
    private readonly IReadOnlyList<IReadOnlyList<PoolMember>> _pools;
    private readonly PoolPlan[] _plans;

    public MaskPlan(PruningOptions options, PrunedNetwork start)
    {
        _pieces = new(options.Importance, options.Granularity, options.Scope, options.Amount);
        var pools = _pieces.Pools(start);
        var counts = pools.Select(_pieces.Count).ToArray();
        var targets = _pieces.Targets(pools, counts);
        if (options.Schedule.Order != LayerOrder.Together)
        {
            pools = [.. pools.SelectMany((pool, p) => Settled(pool, targets[p] - counts[p].Dropped))];
            targets = [.. pools.Select(pool => _pieces.Count(pool).Dropped)];
            pools = [.. pools.Select(pool => (IReadOnlyList<PoolMember>)[start.Member(pool[0].Parameter.Name)])];
            counts = [.. pools.Select(_pieces.Count)];
        }

        _pools = pools;
        _plans = [.. targets.Zip(counts, (target, count)
            => new PoolPlan(options.Schedule.Sparsities((double)count.Dropped / count.Total, (double)target / count.Total), target, count.Total))];
        if (options.Schedule.Order != LayerOrder.Together)
        {
            Queue(start.Weights, options.Schedule.Order);
        }
    }

    public override int Steps => _plans.Max(plan => plan.First + plan.Sparsities.Count);

    public override PrunedNetwork Prune(PrunedNetwork good, int step)
    {
        var now = _plans.Select(plan => plan.DroppedAfter(step)).ToArray();
        var members = _pools.Select(pool => (IReadOnlyList<PoolMember>)[.. pool.Select(member => good.Member(member.Parameter.Name))]).ToArray();
        var missing = members.Select((pool, p) => Math.Max(0, now[p] - _pieces.Count(pool).Dropped)).ToArray();
        return good.Drop(_pieces, members, missing);
    }

    public override (double Sparsity, long Left) Describe(PrunedNetwork network)
    {
        var masks = network.Masks.Values;
        long total = masks.Sum(mask => (long)mask.Count), left = masks.Sum(mask => (long)mask.Kept);
        return (1 - (double)left / total, left);
    }

    /// <summary>The members of a pool, each by itself, as they are when so many pieces of the pool are dropped.</summary>
    private IEnumerable<IReadOnlyList<PoolMember>> Settled(IReadOnlyList<PoolMember> pool, long drop)
        => pool.Zip(_pieces.Drop(pool, drop), (member, mask) => (IReadOnlyList<PoolMember>)[member with { Mask = mask }]);

    /// <summary>Each layer begins when the one before it has ended; those that lose nothing take no step.</summary>
    private void Queue(Network network, LayerOrder order)
    {
        var layers = network.Layers.Select(layer => layer.Node.Name).ToList();
        var first = 0;
        foreach (var layer in Enumerable.Range(0, _pools.Count).Where(pool => _pieces.Count(_pools[pool]).Dropped < _plans[pool].Target).GroupBy(pool => layers.IndexOf(_pools[pool][0].Layer)).OrderBy(layer => order == LayerOrder.TopDown ? -layer.Key : layer.Key))
        {
            foreach (var pool in layer)
            {
                _plans[pool] = _plans[pool] with { First = first };
            }

            first += layer.Max(pool => _plans[pool].Sparsities.Count);
        }
    }

    /// <summary>How far a pool is pruned after each step; it stays at its target once it is there.</summary>
    private sealed record PoolPlan(IReadOnlyList<double> Sparsities, long Target, long Total, int First = 0)
    {
        public long DroppedAfter(int step) => step < First ? 0
            : step >= First + Sparsities.Count - 1 ? Target : (long)Math.Round(Sparsities[step - First] * Total, MidpointRounding.ToEven);
    }
}
