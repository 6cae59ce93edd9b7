using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>Vectors of 64 bytes, of processors with AVX-512.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<sbyte>>
{
    public static int Count => Vector512<sbyte>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<sbyte> Create(sbyte value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<sbyte> Keep(Vector512<sbyte> set, Vector512<sbyte> rank, Vector512<sbyte> cut, Vector512<sbyte> keep)
        => set & (Vector512.GreaterThan(cut, rank) | keep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<sbyte> WhereEmpty(Vector512<sbyte> set, Vector512<sbyte> empty, Vector512<sbyte> filled)
        => Vector512.ConditionalSelect(Vector512.Equals(set, Vector512<sbyte>.Zero), empty, filled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<sbyte> Lowest(Vector512<sbyte> set, Vector512<sbyte> first)
    {
        var lowest = set & -set;
        return first + Digit(lowest, 0b1010_1010, 1) + Digit(lowest, 0b1100_1100, 2) + Digit(lowest, 0b1111_0000, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<sbyte> Lookup(sbyte* table, Vector512<sbyte> indices)
        => Avx512Vbmi.IsSupported ? Avx512Vbmi.PermuteVar64x8(Vector512.Load(table), indices)
            : Vector512.Create(Lanes256.Lookup(table, indices.GetLower()), Lanes256.Lookup(table, indices.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountBelow(float value, float* numbers)
        => BitOperations.PopCount(Vector512.GreaterThan(Vector512.Create(value), Vector512.Load(numbers)).ExtractMostSignificantBits());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddLeaves(double* sums, double* leaves, byte* indices)
    {
        for (var i = 0; i < Count; i += Vector512<double>.Count)
        {
            var index = indices + i;
            (Vector512.Load(sums + i) + Vector512.Create(leaves[index[0]], leaves[index[1]], leaves[index[2]], leaves[index[3]],
                leaves[index[4]], leaves[index[5]], leaves[index[6]], leaves[index[7]])).Store(sums + i);
        }
    }

    /// <summary>What a digit of the number of a byte's only bit is worth, where that bit is one of some.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<sbyte> Digit(Vector512<sbyte> bit, byte bits, sbyte worth)
        => Vector512.AndNot(Vector512.Create(worth), Vector512.Equals(bit & Vector512.Create(bits).AsSByte(), Vector512<sbyte>.Zero));
}
