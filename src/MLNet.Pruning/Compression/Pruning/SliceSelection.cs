using MLNet.Pruning.Compression.Pruning.Selection;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>
/// Finds the least important structures of several weights, such as slices, over any number of parameters; candidates whose weights are all dropped no longer
/// count.
/// </summary>
internal sealed class SliceSelection : CandidateSelection
{
    private readonly IReadOnlyList<PoolMember> _pool;
    private readonly StructureLayout[] _layouts;
    private readonly bool[][] _alive;
    private readonly Lazy<double[][]> _scores;
    private readonly CancellationToken _cancellation;

    /// <param name="pool">The parameters.</param>
    /// <param name="importance">How important a weight or structure is.</param>
    /// <param name="granularity">What is pruned as one: a weight or a structure.</param>
    /// <param name="distribution">How candidates of different parameters are compared.</param>
    /// <param name="cancellation">Ends the comparison.</param>
    public SliceSelection(IReadOnlyList<PoolMember> pool, ImportanceScores importance, Granularity granularity, Distribution distribution,
        CancellationToken cancellation)
    {
        (_pool, _cancellation) = (pool, cancellation);
        _layouts = [.. pool.Select(member => granularity.Structures(member.Parameter, member.Axes))];
        _alive = [.. pool.Zip(_layouts, (member, layout) =>
        {
            cancellation.ThrowIfCancellationRequested();
            return layout.Alive(member.Mask);
        })];
        Dropped = _alive.Sum(member => member.LongCount(alive => !alive));
        _scores = new(() => [.. Enumerable.Range(0, pool.Count).Select(member => Score(member, importance, granularity, distribution))]);
    }

    public override long Total => _layouts.Sum(layout => (long)layout.Count);

    public override long Dropped { get; }

    public override IReadOnlyList<float[]> Scores() => [.. _scores.Value.Select(scores => Array.ConvertAll(scores, score => (float)score))];

    public override long CountBelow(Amount amount)
    {
        var remaining = Left();
        if (remaining.Length == 0)
        {
            return 0;
        }

        var threshold = amount.Threshold(remaining.Average(), remaining.Max());
        return remaining.LongCount(score => score < threshold);
    }

    public override WeightMask[] Drop(long drop)
    {
        var kept = _pool.Select(member => member.Mask?.ToArray() ?? Enumerable.Repeat(true, member.Parameter.Count).ToArray()).ToArray();
        if (drop > 0)
        {
            var ordered = Left();
            Array.Sort(ordered);
            var threshold = ordered[drop - 1];
            var ties = drop - Array.FindIndex(ordered, score => score >= threshold);
            for (var member = 0; member < _pool.Count; member++)
            {
                _cancellation.ThrowIfCancellationRequested();
                var (scores, alive) = (_scores.Value[member], _alive[member]);
                var dropped = new bool[scores.Length];
                for (var candidate = 0; candidate < dropped.Length; candidate++)
                {
                    dropped[candidate] = alive[candidate] && (scores[candidate] < threshold || (scores[candidate] == threshold && ties-- > 0));
                }

                foreach (var (candidate, start, length) in _layouts[member].Runs)
                {
                    if (dropped[candidate])
                    {
                        kept[member].AsSpan(start, length).Clear();
                    }
                }
            }
        }

        return [.. kept.Select(mask =>
        {
            _cancellation.ThrowIfCancellationRequested();
            return new WeightMask(mask);
        })];
    }

    /// <summary>Scores of the remaining candidates.</summary>
    private double[] Left() => [.. _scores.Value.Zip(_alive).SelectMany(member => member.First.Where((_, candidate) => member.Second[candidate]))];

    private double[] Score(int member, ImportanceScores importance, Granularity granularity, Distribution distribution)
    {
        _cancellation.ThrowIfCancellationRequested();
        var (parameter, mask) = (_pool[member].Parameter, _pool[member].Mask);
        var scores = importance.Score(_layouts[member], mask is null ? parameter : parameter.WithValues(mask.Apply(parameter.Values)));
        if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var candidate)
        {
            throw new InvalidOperationException($"The importance of {granularity} {candidate} of parameter '{parameter.Name}' is NaN.");
        }

        return distribution.IsLamp ? Lamp.Scores(scores, candidate => _alive[member][candidate], _cancellation) : scores;
    }
}
