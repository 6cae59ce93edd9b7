using System.Collections.Concurrent;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Layer-adaptive scores of single weights; sorts each parameter once, on first use.</summary>
internal sealed class LampScores(ImportanceScores importance, IReadOnlyList<PoolMember> pool, CancellationToken cancellation = default) : ImportanceScores
{
    private readonly ConcurrentDictionary<string, Lazy<float[]>> _scores = new(pool
        .Select(member => KeyValuePair.Create(member.Parameter.Name, new Lazy<float[]>(() => Adapted(importance, member, cancellation)))));

    private protected override void Weights(Parameter parameter, int start, Span<float> scores)
        => _scores[parameter.Name].Value.AsSpan(start, scores.Length).CopyTo(scores);

    private static float[] Adapted(ImportanceScores importance, PoolMember member, CancellationToken cancellation)
    {
        var scores = new float[member.Parameter.Count];
        importance.ScoreWeights(member.Parameter, 0, scores);
        var adapted = Lamp.Scores(Array.ConvertAll(scores, score => (double)score), i => member.Mask?[i] != false, cancellation);
        return Array.ConvertAll(adapted, score => (float)score);
    }
}

/// <summary>The score of Lee et al. 2021.</summary>
internal static class Lamp
{
    private const int PartLength = 1 << 17;

    /// <summary>w(u)^2 / sum of w(v)^2 over what is not before u when sorted by w; what is dropped gets 0.</summary>
    /// <exception cref="InvalidOperationException">An importance is negative.</exception>
    public static double[] Scores(double[] importances, Func<int, bool> remains, CancellationToken cancellation = default)
    {
        var order = Enumerable.Range(0, importances.Length).Where(remains).ToArray();
        var keys = Array.ConvertAll(order, i => importances[i] is var own && !(own < 0) ? own
            : throw new InvalidOperationException($"The LAMP score needs importances of at least 0; that of weight or structure {i} is {own}."));
        // Ties go in the order of storage: a sort by both.
        Sort(keys, order, cancellation);
        SortTies(keys, order);
        cancellation.ThrowIfCancellationRequested();
        var scores = new double[importances.Length];
        var sum = 0.0;
        for (var i = order.Length - 1; i >= 0; i--)
        {
            var square = keys[i] * keys[i];
            sum += square;
            scores[order[i]] = double.IsNaN(square) ? double.NaN : sum > 0 ? square / sum : 0;
        }

        return scores;
    }

    /// <summary>Parts that take some milliseconds, merged: a sort of a large parameter at once would take longer than a cancellation may.</summary>
    private static void Sort(double[] keys, int[] order, CancellationToken cancellation)
    {
        for (var start = 0; start < keys.Length; start += PartLength)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.Sort(keys, order, start, Math.Min(PartLength, keys.Length - start));
        }

        if (keys.Length <= PartLength)
        {
            return;
        }

        var (otherKeys, otherOrder) = (new double[keys.Length], new int[keys.Length]);
        for (long length = PartLength; length < keys.Length; length *= 2)
        {
            for (long start = 0; start < keys.Length; start += 2 * length)
            {
                Merge((int)start, (int)Math.Min(start + length, keys.Length), (int)Math.Min(start + 2 * length, keys.Length));
            }

            otherKeys.CopyTo(keys, 0);
            otherOrder.CopyTo(order, 0);
        }

        void Merge(int start, int middle, int end)
        {
            var (left, right) = (start, middle);
            for (var i = start; i < end; i++)
            {
                if (i % PartLength == 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                }

                // NaN sorts first, as Array.Sort has it.
                var next = right == end || (left < middle && keys[left].CompareTo(keys[right]) <= 0) ? left++ : right++;
                (otherKeys[i], otherOrder[i]) = (keys[next], order[next]);
            }
        }
    }

    private static void SortTies(double[] keys, int[] order)
    {
        for (int start = 0, end; start < keys.Length; start = end)
        {
            for (end = start + 1; end < keys.Length && keys[end] == keys[start]; end++)
            {
            }

            Array.Sort(order, start, end - start);
        }
    }
}
