using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Picks numbers of a vector, each by a few bits of an integer.</summary>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TPlaces">As many integers as it has numbers.</typeparam>
internal unsafe interface ILookup<TVector, TPlaces>
    where TVector : struct
    where TPlaces : struct
{
    static abstract TPlaces Load(uint* source);

    /// <param name="window">What is picked from.</param>
    /// <param name="places">Places in it; bits that no place needs may be set.</param>
    /// <param name="shift">The bit of each integer at which its place starts.</param>
    static abstract TVector Of(TVector window, TPlaces places, [ConstantExpected] int shift);
}

/// <summary>512 bits: AVX-512, which reads four bits.</summary>
internal readonly unsafe struct Lookup512 : ILookup<Vector512<float>, Vector512<int>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(uint* source) => Vector512.Load(source).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Of(Vector512<float> window, Vector512<int> places, [ConstantExpected] int shift)
        => Avx512F.PermuteVar16x32(window, places >>> shift);
}

/// <summary>256 bits: AVX2, which reads three bits.</summary>
internal readonly unsafe struct Lookup256 : ILookup<Vector256<float>, Vector256<int>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(uint* source) => Vector256.Load(source).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Of(Vector256<float> window, Vector256<int> places, [ConstantExpected] int shift)
        => Avx2.PermuteVar8x32(window, places >>> shift);
}

/// <summary>128 bits: Arm's Advanced SIMD, and any processor, by the four bytes of a number.</summary>
internal readonly unsafe struct Lookup128 : ILookup<Vector128<float>, Vector128<int>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(uint* source) => Vector128.Load(source).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Of(Vector128<float> window, Vector128<int> places, [ConstantExpected] int shift)
        => Vector128.ShuffleNative(window.AsByte(),
            (((places >>> shift) & Vector128.Create(3)) * Vector128.Create(0x04040404) + Vector128.Create(0x03020100)).AsByte()).AsSingle();
}
