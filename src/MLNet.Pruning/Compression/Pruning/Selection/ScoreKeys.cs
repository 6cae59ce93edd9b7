using System.Numerics;
using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Compression.Pruning.Selection;

/// <summary>Scores as unsigned numbers of the same order, and what <see cref="WeightSelection"/> does with a block of them.</summary>
internal static class ScoreKeys
{
    private const int BitsPerWord = 64;

    /// <summary>Turns scores into ascending unsigned numbers for ascending floats, in place. Zeros of both signs are one number.</summary>
    public static Span<uint> From(Span<float> scores)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        foreach (ref var vector in vectors)
        {
            var bits = Vector.AsVectorInt32(vector + Vector<float>.Zero);
            vector = Vector.AsVectorSingle(bits ^ (Vector.ShiftRightArithmetic(bits, 31) | new Vector<int>(int.MinValue)));
        }

        foreach (ref var score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            var bits = BitConverter.SingleToInt32Bits(score + 0f);
            score = BitConverter.Int32BitsToSingle(bits ^ ((bits >> 31) | int.MinValue));
        }

        return MemoryMarshal.Cast<float, uint>(scores);
    }

    public static bool ContainsNaN(ReadOnlySpan<float> scores)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        foreach (var vector in vectors)
        {
            if (!Vector.EqualsAll(vector, vector))
            {
                return true;
            }
        }

        foreach (var score in scores[(vectors.Length * Vector<float>.Count)..])
        {
            if (float.IsNaN(score))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Moves the scores whose bit is set to the front.</summary>
    public static Span<float> Compact(Span<float> scores, ReadOnlySpan<ulong> kept)
    {
        var count = 0;
        for (var start = 0; start < scores.Length; start += BitsPerWord)
        {
            for (var word = kept[start / BitsPerWord]; word != 0; word &= word - 1)
            {
                scores[count++] = scores[start + BitOperations.TrailingZeroCount(word)];
            }
        }

        return scores[..count];
    }

    /// <summary>Counts keys by their upper 16 bits.</summary>
    public static void CountUpper(ReadOnlySpan<uint> keys, Span<int> counters)
    {
        foreach (var key in keys)
        {
            counters[(int)(key >> 16)]++;
        }
    }

    /// <summary>Counts keys with these upper 16 bits by their lower ones.</summary>
    public static void CountLower(ReadOnlySpan<uint> keys, uint upper, Span<int> counters)
    {
        var vectors = MemoryMarshal.Cast<uint, Vector256<uint>>(keys);
        for (var i = 0; i < vectors.Length; i++)
        {
            for (var hits = Vector256.Equals(vectors[i] >>> 16, Vector256.Create(upper)).ExtractMostSignificantBits(); hits != 0; hits &= hits - 1)
            {
                counters[(ushort)keys[i * Vector256<uint>.Count + BitOperations.TrailingZeroCount(hits)]]++;
            }
        }

        foreach (var key in keys[(vectors.Length * Vector256<uint>.Count)..])
        {
            if (key >> 16 == upper)
            {
                counters[(ushort)key]++;
            }
        }
    }

    /// <summary>Which of up to 64 keys lie above the threshold and which at it, the first in the lowest bit.</summary>
    public static (ulong Above, ulong At) Compare(ReadOnlySpan<uint> keys, uint threshold)
    {
        ulong above = 0, at = 0;
        var i = 0;
        for (; i <= keys.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var vector = Vector256.Create(keys[i..]);
            above |= (ulong)Vector256.GreaterThan(vector, Vector256.Create(threshold)).ExtractMostSignificantBits() << i;
            at |= (ulong)Vector256.Equals(vector, Vector256.Create(threshold)).ExtractMostSignificantBits() << i;
        }

        for (; i < keys.Length; i++)
        {
            above |= keys[i] > threshold ? 1UL << i : 0;
            at |= keys[i] == threshold ? 1UL << i : 0;
        }

        return (above, at);
    }
}
