using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Rows that follow one another laid side by side.</summary>
internal static unsafe class Transposition
{
    /// <param name="rows">The rows.</param>
    /// <param name="width">Values of each.</param>
    /// <param name="count">How many.</param>
    /// <param name="target">Receives value i of row r at i * stride + r.</param>
    /// <param name="stride">Rows that have room side by side.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* rows, int width, int count, float* target, int stride)
    {
        // A few values of all rows, then the next: what is written lies together, and what is read of a row is still in the cache for them.
        var value = 0;
        if (Avx.IsSupported)
        {
            for (; value + 8 <= width; value += 8)
            {
                var row = 0;
                for (; row + 8 <= count; row += 8)
                {
                    Eight(rows + (nint)row * width + value, width, target + (nint)value * stride + row, stride);
                }

                Rest(rows, width, row, count, value, value + 8, target, stride);
            }
        }

        Rest(rows, width, 0, count, value, width, target, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rest(float* rows, int width, int first, int last, int value, int end, float* target, int stride)
    {
        for (; value < end; value++)
        {
            for (var row = first; row < last; row++)
            {
                target[(nint)value * stride + row] = rows[(nint)row * width + value];
            }
        }
    }

    /// <summary>Eight rows of eight values: pairs, then fours, then halves change places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight(float* from, nint width, float* to, nint stride)
    {
        var (a, b, c, d) = (Avx.LoadVector256(from), Avx.LoadVector256(from + width), Avx.LoadVector256(from + 2 * width), Avx.LoadVector256(from + 3 * width));
        from += 4 * width;
        var (e, f, g, h) = (Avx.LoadVector256(from), Avx.LoadVector256(from + width), Avx.LoadVector256(from + 2 * width), Avx.LoadVector256(from + 3 * width));
        (a, b, c, d) = (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b), Avx.UnpackLow(c, d), Avx.UnpackHigh(c, d));
        (e, f, g, h) = (Avx.UnpackLow(e, f), Avx.UnpackHigh(e, f), Avx.UnpackLow(g, h), Avx.UnpackHigh(g, h));
        (a, c, b, d) = (Avx.Shuffle(a, c, 0x44), Avx.Shuffle(a, c, 0xEE), Avx.Shuffle(b, d, 0x44), Avx.Shuffle(b, d, 0xEE));
        (e, g, f, h) = (Avx.Shuffle(e, g, 0x44), Avx.Shuffle(e, g, 0xEE), Avx.Shuffle(f, h, 0x44), Avx.Shuffle(f, h, 0xEE));
        Store(a, e, to, 0, stride);
        Store(c, g, to, 1, stride);
        Store(b, f, to, 2, stride);
        Store(d, h, to, 3, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> low, Vector256<float> high, float* to, int value, nint stride)
    {
        Avx.Permute2x128(low, high, 0x20).Store(to + value * stride);
        Avx.Permute2x128(low, high, 0x31).Store(to + (value + 4) * stride);
    }
}
