namespace MLNet.Pruning;

/// <summary>Finds the least important slices over any number of parameters; slices whose weights are all dropped no longer count.</summary>
internal sealed class SliceSelection
{
    private readonly IReadOnlyList<PoolMember> _pool;
    private readonly Granularity _granularity;
    private readonly List<(int Member, int Slice, double Score)> _remaining = [];

    public SliceSelection(IReadOnlyList<PoolMember> pool, Importance importance, Granularity granularity)
    {
        (_pool, _granularity) = (pool, granularity);
        for (var i = 0; i < pool.Count; i++)
        {
            var (parameter, mask) = pool[i];
            var dimension = granularity.Dimension(parameter);
            var scores = new double[parameter.Shape[dimension]];
            importance.ScoreSlices(mask is null ? parameter : parameter.WithValues(mask.Apply(parameter.Values)), dimension, scores);
            var alive = Alive(parameter, mask, dimension);
            for (var slice = 0; slice < scores.Length; slice++)
            {
                if (double.IsNaN(scores[slice]))
                {
                    throw new InvalidOperationException($"The importance of {granularity} {slice} of parameter '{parameter.Name}' is NaN.");
                }

                if (alive[slice])
                {
                    _remaining.Add((i, slice, scores[slice]));
                }
            }
        }
    }

    public long Remaining => _remaining.Count;

    /// <summary>Slices of all members, dropped ones included.</summary>
    public long Total => _pool.Sum(member => (long)member.Parameter.Shape[_granularity.Dimension(member.Parameter)]);

    /// <summary>Remaining slices whose score lies below the amount's threshold; one pool member, for thresholds are a layer's own.</summary>
    public long CountBelow(Amount amount)
    {
        if (_remaining.Count == 0)
        {
            return 0;
        }

        var threshold = amount.Threshold(_remaining.Average(slice => slice.Score), _remaining.Max(slice => slice.Score));
        return _remaining.Count(slice => slice.Score < threshold);
    }

    /// <summary>Masks after dropping the least important <paramref name="drop"/> of the remaining slices; ties go in the order of storage.</summary>
    public WeightMask[] Drop(long drop)
    {
        var kept = _pool.Select(member => member.Mask?.ToArray() ?? Enumerable.Repeat(true, member.Parameter.Count).ToArray()).ToArray();
        var dropped = _remaining.OrderBy(slice => slice.Score).Take((int)drop).Select(slice => (slice.Member, slice.Slice)).ToHashSet();
        for (var i = 0; i < _pool.Count; i++)
        {
            foreach (var (slice, start, length) in SliceRuns.Of(_pool[i].Parameter.Shape, _granularity.Dimension(_pool[i].Parameter)))
            {
                if (dropped.Contains((i, slice)))
                {
                    kept[i].AsSpan(start, length).Clear();
                }
            }
        }

        return [.. kept.Select(mask => new WeightMask(mask))];
    }

    private static bool[] Alive(Parameter parameter, WeightMask? mask, int dimension)
    {
        var alive = new bool[parameter.Shape[dimension]];
        foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, dimension))
        {
            for (var i = start; i < start + length && !alive[slice]; i++)
            {
                alive[slice] = mask is null || mask[i];
            }
        }

        return alive;
    }
}
