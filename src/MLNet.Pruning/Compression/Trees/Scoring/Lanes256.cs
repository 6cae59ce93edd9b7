using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>Vectors of 32 bytes, of processors with AVX2.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<sbyte>>
{
    public static int Count => Vector256<sbyte>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Create(sbyte value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Keep(Vector256<sbyte> set, Vector256<sbyte> rank, Vector256<sbyte> cut, Vector256<sbyte> keep)
        => set & (Vector256.GreaterThan(cut, rank) | keep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> WhereEmpty(Vector256<sbyte> set, Vector256<sbyte> empty, Vector256<sbyte> filled)
        => Vector256.ConditionalSelect(Vector256.Equals(set, Vector256<sbyte>.Zero), empty, filled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Lowest(Vector256<sbyte> set, Vector256<sbyte> first)
    {
        var lowest = set & -set;
        return first + Digit(lowest, 0b1010_1010, 1) + Digit(lowest, 0b1100_1100, 2) + Digit(lowest, 0b1111_0000, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Lookup(sbyte* table, Vector256<sbyte> indices)
    {
        // Shuffles look at the low four bits of an index and blends at the highest, where the fifth and the sixth are moved to.
        var (fifth, sixth) = ((indices.AsInt16() << 3).AsSByte(), (indices.AsInt16() << 2).AsSByte());
        return Avx2.BlendVariable(Avx2.BlendVariable(Of(0), Of(16), fifth), Avx2.BlendVariable(Of(32), Of(48), fifth), sixth);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<sbyte> Of(int start) => Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(table + start), indices);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountBelow(float value, float* numbers)
    {
        var vector = Vector256.Create(value);
        return BitOperations.PopCount(Vector256.GreaterThan(vector, Vector256.Load(numbers)).ExtractMostSignificantBits() << 8
            | Vector256.GreaterThan(vector, Vector256.Load(numbers + 8)).ExtractMostSignificantBits());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddLeaves(double* sums, double* leaves, byte* indices)
    {
        for (var i = 0; i < Count; i += Vector256<double>.Count)
        {
            var index = indices + i;
            (Vector256.Load(sums + i) + Vector256.Create(leaves[index[0]], leaves[index[1]], leaves[index[2]], leaves[index[3]])).Store(sums + i);
        }
    }

    /// <summary>What a digit of the number of a byte's only bit is worth, where that bit is one of some.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Digit(Vector256<sbyte> bit, byte bits, sbyte worth)
        => Vector256.AndNot(Vector256.Create(worth), Vector256.Equals(bit & Vector256.Create(bits).AsSByte(), Vector256<sbyte>.Zero));
}
