using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>A width of the processor's vectors for <see cref="IntegerProduct"/>, so that it is written once and compiled for each.</summary>
/// <typeparam name="TSums">Sums of 32 bits.</typeparam>
/// <typeparam name="TBytes">Four bytes for each sum.</typeparam>
internal unsafe interface IIntegerLanes<TSums, TBytes>
    where TSums : struct
    where TBytes : struct
{
    /// <summary>Sums in a vector.</summary>
    static abstract int Count { get; }

    static abstract TSums Zero { get; }

    static abstract TSums Load(int* source);

    static abstract TBytes Load(byte* source);

    static abstract void Store(TSums sums, int* target);

    static abstract TSums Add(TSums left, TSums right);

    /// <summary>Adds four products to each sum.</summary>
    /// <param name="x">A window of as many inputs as the vector has bytes.</param>
    /// <param name="places">Places in it.</param>
    /// <param name="values">The weights of the inputs there, signed.</param>
    /// <param name="sums">The sums so far.</param>
    static abstract TSums Step(byte* x, TBytes places, TBytes values, TSums sums);

    /// <summary>The same with places among the first 16 inputs; as many inputs as the vector has bytes may be read.</summary>
    static abstract TSums StepOf16(byte* x, TBytes places, TBytes values, TSums sums);

    /// <summary>The lower four bits of each byte.</summary>
    static abstract TBytes Low(TBytes places);

    /// <summary>The higher four bits of each byte.</summary>
    static abstract TBytes High(TBytes places);
}

/// <summary>512 bits: AVX-512 with its permutation of bytes (VBMI).</summary>
internal readonly unsafe struct IntegerLanes512 : IIntegerLanes<Vector512<int>, Vector512<byte>>
{
    public static int Count => Vector512<int>.Count;

    public static Vector512<int> Zero => Vector512<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(int* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Load(byte* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> sums, int* target) => sums.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> left, Vector512<int> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Step(byte* x, Vector512<byte> places, Vector512<byte> values, Vector512<int> sums)
        => sums + Avx512BW.MultiplyAddAdjacent(
            Avx512BW.MultiplyAddAdjacent(Avx512Vbmi.PermuteVar64x8(Vector512.Load(x), places), values.AsSByte()), Vector512<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> StepOf16(byte* x, Vector512<byte> places, Vector512<byte> values, Vector512<int> sums) => Step(x, places, values, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Low(Vector512<byte> places) => places & Vector512.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> High(Vector512<byte> places) => (places.AsUInt16() >>> 4).AsByte() & Vector512.Create((byte)15);
}

/// <summary>256 bits: AVX2, which permutes 16 bytes.</summary>
internal readonly unsafe struct IntegerLanes256 : IIntegerLanes<Vector256<int>, Vector256<byte>>
{
    public static int Count => Vector256<int>.Count;

    public static Vector256<int> Zero => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Load(byte* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> sums, int* target) => sums.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> left, Vector256<int> right) => left + right;

    /// <summary>A place whose highest bit is set gives zero: each half of the window looks up its own places, and the others give nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Step(byte* x, Vector256<byte> places, Vector256<byte> values, Vector256<int> sums)
    {
        var low = Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(x), places + Vector256.Create((byte)0x70));
        var high = Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(x + 16), places - Vector256.Create((byte)16));
        return sums + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(low | high, values.AsSByte()), Vector256<short>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> StepOf16(byte* x, Vector256<byte> places, Vector256<byte> values, Vector256<int> sums)
        => sums + Avx2.MultiplyAddAdjacent(
            Avx2.MultiplyAddAdjacent(Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(x), places), values.AsSByte()), Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Low(Vector256<byte> places) => places & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> High(Vector256<byte> places) => (places.AsUInt16() >>> 4).AsByte() & Vector256.Create((byte)15);
}

/// <summary>128 bits: Arm's Advanced SIMD, and any processor. Of a sum's bytes the four stand a sum apart, as neighbours are not added up.</summary>
internal readonly unsafe struct IntegerLanes128 : IIntegerLanes<Vector128<int>, Vector128<byte>>
{
    public static int Count => Vector128<int>.Count;

    public static Vector128<int> Zero => Vector128<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(int* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Load(byte* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<int> sums, int* target) => sums.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> left, Vector128<int> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Step(byte* x, Vector128<byte> places, Vector128<byte> values, Vector128<int> sums)
    {
        var (inputs, weights) = (Vector128.ShuffleNative(Vector128.Load(x), places), values.AsSByte());
        // A product and the next but one, which fit 16 bits together.
        var pairs = Vector128.WidenLower(inputs).AsInt16() * Vector128.WidenLower(weights)
            + Vector128.WidenUpper(inputs).AsInt16() * Vector128.WidenUpper(weights);
        return sums + Vector128.WidenLower(pairs) + Vector128.WidenUpper(pairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> StepOf16(byte* x, Vector128<byte> places, Vector128<byte> values, Vector128<int> sums) => Step(x, places, values, sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Low(Vector128<byte> places) => places & Vector128.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> High(Vector128<byte> places) => (places.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);
}
