using System.Numerics;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>What patterns of bits the values of a tensor have. When they are still to be read, it counts zeros, and nothing asks.</summary>
internal readonly struct PatternCounts
{
    // More values than those are no list.
    private const int MostDistinct = 256;

    public PatternCounts(ReadOnlySpan<uint> values, int bits)
    {
        Commonest = FindCommonest(values);
        var common = values.Count(Commonest);
        HasCommon = common * 8L >= values.Length;
        Others = values.Length - (HasCommon ? common : 0);
        var (all, distinct) = (0u, new HashSet<uint>());
        foreach (var value in values)
        {
            if (value != Commonest || !HasCommon)
            {
                all |= value;
                if (distinct.Count <= MostDistinct)
                {
                    distinct.Add(value);
                }
            }
        }

        LowZeros = Math.Min(BitOperations.TrailingZeroCount(all), bits == 32 ? 23 : bits - 8);
        Distinct = bits > 8 && distinct.Count <= MostDistinct ? [.. distinct.Select(value => TensorCoder.Ordered(value, bits)).Order()] : null;
    }

    public uint Commonest { get; }

    /// <summary>Whether the commonest makes up so much that it is told first of each value whether it is that.</summary>
    public bool HasCommon { get; }

    /// <summary>How many values are told apart.</summary>
    public int Others { get; }

    /// <summary>Low bits that are zero in all of those.</summary>
    public int LowZeros { get; }

    /// <summary>Their patterns, each once, in order; null where there are too many for a list.</summary>
    public uint[]? Distinct { get; }

    /// <summary>A pattern that makes up more than half, or else zero.</summary>
    private static uint FindCommonest(ReadOnlySpan<uint> values)
    {
        // Boyer and Moore's vote.
        var (candidate, votes) = (0u, 0);
        foreach (var value in values)
        {
            (candidate, votes) = votes == 0 ? (value, 1) : (candidate, value == candidate ? votes + 1 : votes - 1);
        }

        return values.Count(candidate) > values.Length / 2 ? candidate : 0;
    }
}
