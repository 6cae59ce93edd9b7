using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Selection;

/// <summary>
/// Finds the least important single weights over any number of parameters without sorting and without copying weights: the threshold
/// comes out of two counting passes over the scores, their upper and their lower 16 bits, the masks out of a third.
/// </summary>
/// <remarks>
/// Cost: three readings of the weights, one bit a weight for the masks, 256 KB of counters for each part, of which there are 16 or one
/// for every 8 million weights, fewer where the weights are few. Ties at the threshold go in the order of storage, so the result does
/// not depend on the number of threads.
/// </remarks>
internal sealed class WeightSelection : CandidateSelection
{
    private const int Halves = 1 << 16;
    private const int Parts = 16;
    private const int SmallestPart = 1 << 19;
    private const int LargestPart = 1 << 23;
    private const int BlockLength = 4096;
    private const int BitsPerWord = 64;

    private readonly ImportanceScores _importance;
    private readonly IReadOnlyList<PoolMember> _pool;
    private readonly List<List<Run>> _parts;
    private readonly CancellationToken _cancellation;

    public WeightSelection(IReadOnlyList<PoolMember> pool, ImportanceScores importance, CancellationToken cancellation)
    {
        (_pool, _importance, _cancellation) = (pool, importance, cancellation);
        _parts = Cut(pool);
    }

    private delegate void BlockVisitor(int member, int start, Span<float> scores);

    public override long Total => _pool.Sum(member => (long)member.Parameter.Count);

    public override long Dropped => _pool.Sum(member => (long)(member.Mask is { } mask ? mask.Count - mask.Kept : 0));

    public override IReadOnlyList<float[]> Scores() => ScoreWeights(_pool, _importance, _cancellation);

    public override long CountBelow(Amount amount)
    {
        double mean = 0, maximum = 0;
        if (amount.IsRelative)
        {
            var sums = new double[_parts.Count];
            var maxima = new double[_parts.Count];
            ForEachPart(part => VisitRemaining(part, scores =>
            {
                double sum = 0, largest = maxima[part];
                foreach (var score in scores)
                {
                    sum += score;
                    largest = Math.Max(largest, score);
                }

                (sums[part], maxima[part]) = (sums[part] + sum, largest);
            }));
            (mean, maximum) = (sums.Sum() / Math.Max(1, Total - Dropped), maxima.Max());
        }

        var threshold = amount.Threshold(mean, maximum);
        var counts = new long[_parts.Count];
        ForEachPart(part => VisitRemaining(part, scores =>
        {
            var below = 0;
            foreach (var score in scores)
            {
                below += score < threshold ? 1 : 0;
            }

            counts[part] += below;
        }));
        return counts.Sum();
    }

    public override WeightMask[] Drop(long drop)
    {
        if (drop == 0)
        {
            return [.. _pool.Select(member => member.Mask ?? Everything(member.Parameter.Count))];
        }

        var counters = new int[_parts.Count][];
        ForEachPart(part =>
        {
            counters[part] = new int[Halves];
            VisitRemaining(part, scores => ScoreKeys.CountUpper(ScoreKeys.From(scores), counters[part]));
        });
        var (upper, before) = Find(counters, drop);

        ForEachPart(part =>
        {
            Array.Clear(counters[part]);
            VisitRemaining(part, scores => ScoreKeys.CountLower(ScoreKeys.From(scores), upper, counters[part]));
        });
        var (lower, beforeLower) = Find(counters, drop - before);

        // What each part still drops at the threshold itself, in the order of storage.
        var ties = new int[_parts.Count];
        var left = drop - before - beforeLower;
        for (var part = 0; part < ties.Length; part++)
        {
            ties[part] = (int)Math.Min(left, counters[part][lower]);
            left -= ties[part];
        }

        var words = _pool.Select(member => WeightMask.Words64(member.Parameter.Count)).ToArray();
        ForEachPart(part => Mark(part, upper << 16 | lower, ties[part], words));
        return [.. _pool.Select((member, i) => new WeightMask(words[i], member.Parameter.Count))];
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
    private static (uint Counter, long Before) Find(int[][] counters, long drop)
    {
        long before = 0;
        for (var i = 0; ; i++)
        {
            long here = 0;
            foreach (var part in counters)
            {
                here += part[i];
            }

            if (before + here >= drop)
            {
                return ((uint)i, before);
            }

            before += here;
        }
    }

    /// <summary>Consecutive parts of about the same size that begin and end at whole words of the masks.</summary>
    private static List<List<Run>> Cut(IReadOnlyList<PoolMember> pool)
    {
        var size = Math.Clamp(pool.Sum(member => (long)member.Parameter.Count) / Parts, SmallestPart, LargestPart);
        var parts = new List<List<Run>> { new() };
        var room = size;
        for (var member = 0; member < pool.Count; member++)
        {
            var count = pool[member].Parameter.Count;
            for (int start = 0, length; start < count; start += length)
            {
                if (room <= 0)
                {
                    parts.Add([]);
                    room = size;
                }

                var words = (room + BitsPerWord - 1) / BitsPerWord;
                length = (int)Math.Min(count - start, words * BitsPerWord);
                parts[^1].Add(new(member, start, length));
                room -= length;
            }
        }

        return parts;
    }

    private void ForEachPart(Action<int> action) => PartLoop.Run(_parts.Count, action, _cancellation);

    private void VisitRemaining(int part, Action<Span<float>> visit) => VisitBlocks(part, (member, start, scores)
        => visit(_pool[member].Mask is { } mask ? ScoreKeys.Compact(scores, mask.Words[(start / BitsPerWord)..]) : scores));

    private void VisitBlocks(int part, BlockVisitor visit)
    {
        Span<float> block = stackalloc float[BlockLength];
        foreach (var run in _parts[part])
        {
            var parameter = _pool[run.Member].Parameter;
            for (var done = 0; done < run.Length; done += BlockLength)
            {
                var scores = block[..Math.Min(BlockLength, run.Length - done)];
                var start = run.Start + done;
                _cancellation.ThrowIfCancellationRequested();
                _importance.ScoreWeights(parameter, start, scores);
                if (ScoreKeys.ContainsNaN(scores))
                {
                    throw new InvalidOperationException($"The importance of a weight of parameter '{parameter.Name}' between {start} and "
                        + $"{start + scores.Length - 1} is NaN.");
                }

                visit(run.Member, start, scores);
            }
        }
    }

    private void Mark(int part, uint threshold, int ties, ulong[][] words) => VisitBlocks(part, (member, start, scores) =>
    {
        var keys = ScoreKeys.From(scores);
        var before = _pool[member].Mask;
        for (var i = 0; i < keys.Length; i += BitsPerWord)
        {
            var word = (start + i) / BitsPerWord;
            var (above, at) = ScoreKeys.Compare(keys[i..Math.Min(i + BitsPerWord, keys.Length)], threshold);
            var remaining = before?.Words[word] ?? ulong.MaxValue;
            (above, at) = (above & remaining, at & remaining);
            for (; at != 0 && ties > 0; ties--)
            {
                at &= at - 1;
            }

            words[member][word] = above | at;
        }
    });

    /// <summary>Consecutive weights of one parameter; begins at a whole word of the mask.</summary>
    private readonly record struct Run(int Member, int Start, int Length);
}
