using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Numbers to bytes, as ONNX Runtime rounds them: to the nearest, halves to even, and to the ends of a byte beyond them.</summary>
internal static unsafe class ByteRounding
{
    /// <summary>Bytes that are written at a time.</summary>
    public static int Block => Vector<byte>.Count;

    private static bool IsAvx2 => Avx2.IsSupported && Vector<byte>.Count == Vector256<byte>.Count;

    /// <summary>
    /// Divides floats by the step between bytes. A product with its inverse takes a fraction of the time of the quotient and rounds to another byte only close
    /// to the middle between two: where a value is, its block is divided.
    /// </summary>
    /// <param name="values">The floats.</param>
    /// <param name="count">How many.</param>
    /// <param name="grid">What the bytes stand for.</param>
    /// <param name="bytes">Receives them; may be where the floats are.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Round(float* values, int count, ByteGrid grid, byte* bytes)
    {
        var (least, most) = (new Vector<float>(-grid.Zero), new Vector<float>(byte.MaxValue - grid.Zero));
        // The product is off by at most 1.5 units in the last place of the inverse and of itself, far below 1e-4 for what rounds to a byte.
        var (scale, inverse, middle) = (new Vector<float>(grid.Scale), new Vector<float>(1 / grid.Scale), new Vector<float>(0.4999f));
        var (i, size, blocks) = (0, Vector<float>.Count, float.IsNormal(1 / grid.Scale) ? count - Block : -1);
        for (; i <= blocks; i += Block)
        {
            // Bytes are cut off when integers are packed, what is no integer of 32 bits is far from the one that it is made, and what is no number the least.
            var (a, b) = (Vector.Load(values + i) * inverse, Vector.Load(values + i + size) * inverse);
            var (c, d) = (Vector.Load(values + i + 2 * size) * inverse, Vector.Load(values + i + 3 * size) * inverse);
            if (!IsAvx2)
            {
                (a, b, c, d) = (Bounded(a, least, most), Bounded(b, least, most), Bounded(c, least, most), Bounded(d, least, most));
            }

            var (first, second, third, fourth) = (Nearest(a), Nearest(b), Nearest(c), Nearest(d));
            if (Vector.GreaterThanAny(Vector.MaxNative(Vector.MaxNative(Off(a, first), Off(b, second)), Vector.MaxNative(Off(c, third), Off(d, fourth))),
                middle))
            {
                (first, second) = (Nearest(Bounded(Vector.Load(values + i) / scale, least, most)),
                    Nearest(Bounded(Vector.Load(values + i + size) / scale, least, most)));
                (third, fourth) = (Nearest(Bounded(Vector.Load(values + i + 2 * size) / scale, least, most)),
                    Nearest(Bounded(Vector.Load(values + i + 3 * size) / scale, least, most)));
            }

            Narrow(first, second, third, fourth, grid.Zero).Store(bytes + i);
        }

        for (; i < count; i++)
        {
            bytes[i] = grid.Round(values[i]);
        }
    }

    /// <summary>Multiplies the sums of columns of a product, and rounds them.</summary>
    /// <param name="sums">The sums of a column, up to a whole number of blocks, and those of the others.</param>
    /// <param name="stride">From the sums of a column to those of the next.</param>
    /// <param name="scales">What each sum of a column is multiplied by.</param>
    /// <param name="count">How many of a column.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="zero">The byte that is zero.</param>
    /// <param name="least">The least byte.</param>
    /// <param name="bytes">Receives a whole number of blocks for each column; the next column is written over what is too much.</param>
    /// <param name="step">From the bytes of a column to those of the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(int* sums, nint stride, float* scales, int count, int columns, byte zero, byte least, byte* bytes, nint step)
    {
        var size = Vector<float>.Count;
        var (low, high) = (new Vector<float>(least - zero), new Vector<float>(byte.MaxValue - zero));
        for (; columns > 0; columns--, sums += stride, bytes += step)
        {
            for (var i = 0; i < count; i += Block)
            {
                var a = Vector.ConvertToSingle(Vector.Load(sums + i)) * Vector.Load(scales + i);
                var b = Vector.ConvertToSingle(Vector.Load(sums + i + size)) * Vector.Load(scales + i + size);
                var c = Vector.ConvertToSingle(Vector.Load(sums + i + 2 * size)) * Vector.Load(scales + i + 2 * size);
                var d = Vector.ConvertToSingle(Vector.Load(sums + i + 3 * size)) * Vector.Load(scales + i + 3 * size);
                Narrow(Nearest(Bounded(a, low, high)), Nearest(Bounded(b, low, high)), Nearest(Bounded(c, low, high)), Nearest(Bounded(d, low, high)), zero)
                    .Store(bytes + i);
            }
        }
    }

    /// <summary>Rounds numbers, adds a zero, and gives no less than a bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<byte> Round(Vector<float> a, Vector<float> b, Vector<float> c, Vector<float> d, byte zero, byte least)
    {
        var (low, high) = (new Vector<float>(least - zero), new Vector<float>(byte.MaxValue - zero));
        return Narrow(Nearest(Bounded(a, low, high)), Nearest(Bounded(b, low, high)), Nearest(Bounded(c, low, high)), Nearest(Bounded(d, low, high)), zero);
    }

    /// <summary>Of what is no number the least.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Bounded(Vector<float> values, Vector<float> least, Vector<float> most)
        => Vector.MinNative(Vector.MaxNative(values, least), most);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<int> Nearest(Vector<float> values) => IsAvx2 ? Avx.ConvertToVector256Int32(values.AsVector256()).AsVector()
        : Vector.ConvertToInt32Native(Vector.Round(values));

    /// <summary>How far values are from integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Off(Vector<float> values, Vector<int> integers) => Vector.Abs(values - Vector.ConvertToSingle(integers));

    /// <summary>Adds a zero to integers: the bytes of the sums, which but with AVX2, that cuts them off, are such.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<byte> Narrow(Vector<int> a, Vector<int> b, Vector<int> c, Vector<int> d, byte zero)
    {
        if (!IsAvx2)
        {
            var shift = new Vector<short>(zero);
            return Vector.AsVectorByte(Vector.Narrow(Vector.Narrow(a, b) + shift, Vector.Narrow(c, d) + shift));
        }

        // Halves by themselves: a third of the instructions of a narrowing that keeps the order at once.
        var zeros = Vector256.Create((short)zero);
        var first = Avx2.AddSaturate(Avx2.PackSignedSaturate(a.AsVector256(), b.AsVector256()), zeros);
        var second = Avx2.AddSaturate(Avx2.PackSignedSaturate(c.AsVector256(), d.AsVector256()), zeros);
        return Avx2.PermuteVar8x32(Avx2.PackUnsignedSaturate(first, second).AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsByte().AsVector();
    }
}
