namespace MLNet.Pruning;

/// <summary>
/// Finds the least important single weights over any number of parameters without sorting and without copying weights: the threshold
/// comes out of two counting passes over the scores, their upper and their lower 16 bits, the masks out of a third.
/// </summary>
/// <remarks>
/// Cost: three readings of the weights, one bit a weight for the masks, 256 KB of counters for every 8 million weights. Ties at the
/// threshold go in the order of storage, so the result does not depend on the number of threads.
/// </remarks>
internal sealed class WeightSelection
{
    private const int Halves = 1 << 16;
    private const int SegmentLength = 1 << 23;
    private const int BlockLength = 4096;
    private const int BitsPerWord = 64;

    private readonly Importance _importance;
    private readonly IReadOnlyList<PoolMember> _pool;
    private readonly Segment[] _segments;

    public WeightSelection(IReadOnlyList<PoolMember> pool, Importance importance)
    {
        (_pool, _importance) = (pool, importance);
        _segments = [.. pool.SelectMany(Cut)];
    }

    /// <summary>Weights that are not dropped yet.</summary>
    public long Remaining => _pool.Sum(member => (long)(member.Mask?.Kept ?? member.Parameter.Count));

    /// <summary>Remaining weights whose score lies below the amount's threshold; one pool member, for thresholds are a layer's own.</summary>
    public long CountBelow(Amount amount)
    {
        double mean = 0, maximum = 0;
        if (amount.IsRelative)
        {
            var sums = new double[_segments.Length];
            var maxima = new double[_segments.Length];
            ForEachSegment(s => VisitRemaining(_segments[s], score => (sums[s], maxima[s]) = (sums[s] + score, Math.Max(maxima[s], score))));
            (mean, maximum) = (sums.Sum() / Math.Max(1, Remaining), maxima.Max());
        }

        var threshold = amount.Threshold(mean, maximum);
        var counts = new long[_segments.Length];
        ForEachSegment(s => VisitRemaining(_segments[s], score => counts[s] += score < threshold ? 1 : 0));
        return counts.Sum();
    }

    /// <summary>Masks after dropping the least important <paramref name="drop"/> of the remaining weights, in the order of the pool.</summary>
    /// <exception cref="InvalidOperationException">An importance is not a number.</exception>
    public WeightMask[] Drop(long drop)
    {
        if (drop == 0)
        {
            return [.. _pool.Select(member => member.Mask ?? Everything(member.Parameter.Count))];
        }

        var counters = Array.ConvertAll(_segments, _ => new int[Halves]);
        ForEachSegment(s => CountKeys(_segments[s], counters[s], key => (int)(key >> 16), _ => true));
        var (upper, before) = Find(counters, drop);

        ForEachSegment(s =>
        {
            Array.Clear(counters[s]);
            CountKeys(_segments[s], counters[s], key => (int)(key & 0xFFFF), key => key >> 16 == upper);
        });
        var (lower, beforeLower) = Find(counters, drop - before);
        var threshold = (uint)upper << 16 | (uint)lower;

        // What each segment may still drop at the threshold itself, in the order of storage.
        var ties = new int[_segments.Length];
        var left = drop - before - beforeLower;
        for (var s = 0; s < ties.Length; s++)
        {
            ties[s] = (int)Math.Min(left, counters[s][lower]);
            left -= ties[s];
        }

        var words = _pool.Select(member => WeightMask.Words64(member.Parameter.Count)).ToArray();
        ForEachSegment(s => Mark(_segments[s], threshold, ties[s], words[_segments[s].Member]));
        return [.. _pool.Select((member, i) => new WeightMask(words[i], member.Parameter.Count))];
    }

    /// <summary>Ascending unsigned numbers for ascending floats.</summary>
    private static uint Key(float score)
    {
        var bits = BitConverter.SingleToInt32Bits(score);
        return (uint)(bits ^ ((bits >> 31) | int.MinValue));
    }

    private static WeightMask Everything(int count)
    {
        var words = WeightMask.Words64(count);
        words.AsSpan().Fill(ulong.MaxValue);
        if (count % BitsPerWord != 0)
        {
            words[^1] = (1UL << (count % BitsPerWord)) - 1;
        }

        return new(words, count);
    }

    /// <summary>The counter in which number <paramref name="drop"/> falls, and how many lie in those before.</summary>
    private static (int Counter, long Before) Find(int[][] counters, long drop)
    {
        long before = 0;
        for (var i = 0; ; i++)
        {
            var here = counters.Sum(segment => (long)segment[i]);
            if (before + here >= drop)
            {
                return (i, before);
            }

            before += here;
        }
    }

    private static IEnumerable<Segment> Cut(PoolMember member, int index)
    {
        for (var start = 0; start < member.Parameter.Count; start += Math.Min(SegmentLength, member.Parameter.Count - start))
        {
            yield return new(index, start, Math.Min(SegmentLength, member.Parameter.Count - start));
        }
    }

    private void ForEachSegment(Action<int> action) => Parallel.For(0, _segments.Length, action);

    private void CountKeys(Segment segment, int[] counter, Func<uint, int> half, Func<uint, bool> counted)
        => VisitRemaining(segment, score =>
        {
            var key = Key(score);
            if (counted(key))
            {
                counter[half(key)]++;
            }
        });

    private void VisitRemaining(Segment segment, Action<float> visit)
    {
        var member = _pool[segment.Member];
        Span<float> scores = stackalloc float[BlockLength];
        for (var start = segment.Start; start < segment.Start + segment.Length; start += BlockLength)
        {
            var block = Score(member, start, scores[..Math.Min(BlockLength, segment.Start + segment.Length - start)]);
            for (var i = 0; i < block.Length; i++)
            {
                if (member.Mask is null || member.Mask[start + i])
                {
                    visit(block[i]);
                }
            }
        }
    }

    private void Mark(Segment segment, uint threshold, int ties, ulong[] words)
    {
        var member = _pool[segment.Member];
        Span<float> scores = stackalloc float[BlockLength];
        for (var start = segment.Start; start < segment.Start + segment.Length; start += BlockLength)
        {
            var block = Score(member, start, scores[..Math.Min(BlockLength, segment.Start + segment.Length - start)]);
            for (var i = 0; i < block.Length; i++)
            {
                if (member.Mask is not null && !member.Mask[start + i])
                {
                    continue;
                }

                var key = Key(block[i]);
                if (key > threshold || (key == threshold && ties-- <= 0))
                {
                    words[(start + i) / BitsPerWord] |= 1UL << ((start + i) % BitsPerWord);
                }
            }
        }
    }

    private Span<float> Score(PoolMember member, int start, Span<float> scores)
    {
        _importance.ScoreWeights(member.Parameter, start, scores);
        foreach (var score in scores)
        {
            if (float.IsNaN(score))
            {
                throw new InvalidOperationException($"The importance of a weight of parameter '{member.Parameter.Name}' between {start} and {start + scores.Length - 1} is NaN.");
            }
        }

        return scores;
    }

    /// <summary>A part of a parameter that one thread works on; starts at a whole word of the mask.</summary>
    private readonly record struct Segment(int Member, int Start, int Length);
}

/// <summary>A parameter whose pieces are compared with those of the others in its pool.</summary>
internal sealed record PoolMember(Parameter Parameter, WeightMask? Mask);
