using System.Numerics;

namespace MLNet.Pruning;

/// <summary>Which values of a parameter are kept; the others are held at zero. One bit a value; immutable.</summary>
public sealed partial class WeightMask
{
    private const int BitsPerWord = 64;
    private readonly ulong[] _kept;

    /// <summary>Takes ownership of the words; bits past the count have to be zero.</summary>
    internal WeightMask(ulong[] kept, int count)
    {
        (_kept, Count) = (kept, count);
        Kept = kept.Sum(word => BitOperations.PopCount(word));
    }

    /// <summary>A mask of one entry a value.</summary>
    /// <param name="kept">True where the value is kept.</param>
    public WeightMask(ReadOnlySpan<bool> kept) : this(Pack(kept), kept.Length)
    {
    }

    /// <summary>Number of values.</summary>
    public int Count { get; }

    /// <summary>Number of values kept.</summary>
    public int Kept { get; }

    /// <summary>Whether the value at that row-major index is kept.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such value.</exception>
    public bool this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return (_kept[index / BitsPerWord] >> (index % BitsPerWord) & 1) != 0;
        }
    }

    /// <summary>64 values a word, the lowest bit first.</summary>
    internal ReadOnlySpan<ulong> Words => _kept;

    /// <summary>One entry a value, true where it is kept.</summary>
    public bool[] ToArray()
    {
        var array = new bool[Count];
        for (var i = 0; i < array.Length; i++)
        {
            array[i] = this[i];
        }

        return array;
    }

    /// <summary>What both masks keep.</summary>
    /// <exception cref="ArgumentException">The masks have different sizes.</exception>
    public WeightMask And(WeightMask other) => Combined(other, (own, others) => own & others);

    /// <summary>What at least one of both masks keeps.</summary>
    /// <exception cref="ArgumentException">The masks have different sizes.</exception>
    public WeightMask Or(WeightMask other) => Combined(other, (own, others) => own | others);

    internal static ulong[] Words64(int count) => new ulong[(count + BitsPerWord - 1) / BitsPerWord];

    /// <summary>1 where a value is kept, 0 where it is dropped.</summary>
    internal float[] ToFactors()
    {
        var ones = new float[Count];
        Array.Fill(ones, 1f);
        return Apply(ones);
    }

    /// <summary>The values with the dropped ones at zero, in new storage.</summary>
    internal float[] Apply(ReadOnlySpan<float> values)
    {
        var result = GC.AllocateUninitializedArray<float>(values.Length, pinned: true);
        for (var start = 0; start < values.Length; start += BitsPerWord)
        {
            result.AsSpan(start, Math.Min(BitsPerWord, values.Length - start)).Clear();
            for (var word = _kept[start / BitsPerWord]; word != 0; word &= word - 1)
            {
                var i = start + BitOperations.TrailingZeroCount(word);
                result[i] = values[i];
            }
        }

        return result;
    }

    private WeightMask Combined(WeightMask other, Func<ulong, ulong, ulong> combine)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Count != Count)
        {
            throw new ArgumentException($"A mask of {Count} values cannot be combined with one of {other.Count}.", nameof(other));
        }

        var words = new ulong[_kept.Length];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = combine(_kept[i], other._kept[i]);
        }

        return new(words, Count);
    }

    private static ulong[] Pack(ReadOnlySpan<bool> kept)
    {
        var words = Words64(kept.Length);
        for (var i = 0; i < kept.Length; i++)
        {
            words[i / BitsPerWord] |= kept[i] ? 1UL << (i % BitsPerWord) : 0;
        }

        return words;
    }
}
