namespace MLNet.Pruning;

/// <summary>Sets pieces to zero and holds them there by masks.</summary>
internal sealed class MaskPlan : PruningPlan
{
    private readonly PruningOptions _options;
    private readonly Pieces _pieces;
    private readonly IReadOnlyList<IReadOnlyList<PoolMember>> _pools;
    private readonly PoolPlan[] _plans;

    public MaskPlan(PruningOptions options, PrunedNetwork start)
    {
        _options = options;
        _pieces = new(options.Importance, options.Granularity);
        _pools = _pieces.Pools(start, options.Scope, options.Amount);
        _plans = [.. _pools.Select(Plan)];
    }

    public override int Steps => _plans.Max(plan => plan.Sparsities.Count);

    public override PrunedNetwork Prune(PrunedNetwork good, int step)
    {
        var now = _plans.Select(plan => plan.DroppedAfter(step)).ToArray();
        var members = _pools.Select(pool => (IReadOnlyList<PoolMember>)[.. pool.Select(member => good.Member(member.Parameter))]).ToArray();
        var missing = members.Select((pool, p) => Math.Max(0, now[p] - _pieces.Count(pool).Dropped)).ToArray();
        return good.Drop(_pieces, members, pool => missing[Array.IndexOf(members, pool)]);
    }

    public override (double Sparsity, long Left) Describe(PrunedNetwork network)
    {
        var masks = network.Masks.Values;
        long total = masks.Sum(mask => (long)mask.Count), left = masks.Sum(mask => (long)mask.Kept);
        return (1 - (double)left / total, left);
    }

    private PoolPlan Plan(IReadOnlyList<PoolMember> pool)
    {
        var (dropped, total) = _pieces.Count(pool);
        var target = _options.Amount.IsThreshold ? dropped + _pieces.Resolve(pool, _options.Amount) : _options.Amount.Resolve(total);
        if (target < dropped)
        {
            throw new PruningTargetException($"The target is {target} of {total} pieces of {string.Join(", ", pool.Select(member => member.Parameter.Name))} "
                + $"(sparsity {(double)target / total:0.####}), but {dropped} are pruned already (sparsity {(double)dropped / total:0.####}).");
        }

        return new(_options.Schedule.Sparsities((double)dropped / total, (double)target / total), target, total);
    }

    /// <summary>How far a pool is pruned after each step; it stays at its target once it is there.</summary>
    private sealed record PoolPlan(IReadOnlyList<double> Sparsities, long Target, long Total)
    {
        public long DroppedAfter(int step) => step >= Sparsities.Count - 1 ? Target : (long)Math.Round(Sparsities[step] * Total, MidpointRounding.ToEven);
    }
}
