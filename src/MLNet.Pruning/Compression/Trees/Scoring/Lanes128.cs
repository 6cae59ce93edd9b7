using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>Vectors of 16 bytes, which every processor has.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<sbyte>>
{
    public static int Count => Vector128<sbyte>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Create(sbyte value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Keep(Vector128<sbyte> set, Vector128<sbyte> rank, Vector128<sbyte> cut, Vector128<sbyte> keep)
        => set & (Vector128.GreaterThan(cut, rank) | keep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> WhereEmpty(Vector128<sbyte> set, Vector128<sbyte> empty, Vector128<sbyte> filled)
        => Vector128.ConditionalSelect(Vector128.Equals(set, Vector128<sbyte>.Zero), empty, filled);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Lowest(Vector128<sbyte> set, Vector128<sbyte> first)
    {
        var lowest = set & -set;
        return first + Digit(lowest, 0b1010_1010, 1) + Digit(lowest, 0b1100_1100, 2) + Digit(lowest, 0b1111_0000, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Lookup(sbyte* table, Vector128<sbyte> indices)
    {
        var (low, halves, quarters) = (indices & Vector128.Create((sbyte)15), indices & Vector128.Create((sbyte)16), indices & Vector128.Create((sbyte)32));
        return WhereEmpty(quarters, WhereEmpty(halves, Of(0), Of(16)), WhereEmpty(halves, Of(32), Of(48)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector128<sbyte> Of(int start) => Vector128.ShuffleNative(Vector128.Load(table + start), low);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountBelow(float value, float* numbers)
    {
        var vector = Vector128.Create(value);
        return -Vector128.Sum(Below(0) + Below(4) + Below(8) + Below(12));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector128<int> Below(int start) => Vector128.GreaterThan(vector, Vector128.Load(numbers + start)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddLeaves(double* sums, double* leaves, byte* indices)
    {
        for (var i = 0; i < Count; i += Vector128<double>.Count)
        {
            var index = indices + i;
            (Vector128.Load(sums + i) + Vector128.Create(leaves[index[0]], leaves[index[1]])).Store(sums + i);
        }
    }

    /// <summary>What a digit of the number of a byte's only bit is worth, where that bit is one of some.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Digit(Vector128<sbyte> bit, byte bits, sbyte worth)
        => Vector128.AndNot(Vector128.Create(worth), Vector128.Equals(bit & Vector128.Create(bits).AsSByte(), Vector128<sbyte>.Zero));
}
