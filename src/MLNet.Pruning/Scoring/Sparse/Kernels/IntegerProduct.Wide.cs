using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Vectors of 512 bits: windows of two vectors, of which an output takes two steps of four inputs.</summary>
internal sealed unsafe partial class IntegerProduct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Wide(byte* x, nint step, int count, int* sums, nint stride)
    {
        for (; count >= 8; count -= 8, x += 8 * step, sums += 8 * stride)
        {
            EightColumns(x, step, sums, stride);
        }

        for (; count >= 4; count -= 4, x += 4 * step, sums += 4 * stride)
        {
            FourColumns(x, step, sums, stride);
        }

        for (; count > 0; count--, x += step, sums += stride)
        {
            Column(x, sums);
        }
    }

    /// <summary>Eight columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EightColumns(byte* x, nint step, int* sums, nint stride)
    {
        var place = _places.Pointer;
        var value = (byte*)_values.Pointer;
        var bias = _bias.Pointer;
        int* start = _starts.Pointer, first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 16, sums += 16)
        {
            var last = first + end[group];
            var a = Vector512.Load(bias);
            var (b, c, d, e, f, g, h) = (a, a, a, a, a, a, a);
            for (; start < last; start++, place += 128, value += 128)
            {
                var from = x + (nuint)(*start);
                var (places, values) = (Vector512.Load(place), Vector512.Load(value).AsSByte());
                var (nextPlaces, nextValues) = (Vector512.Load(place + 64), Vector512.Load(value + 64).AsSByte());
                a = Window(from, places, values, nextPlaces, nextValues, a);
                b = Window(from + step, places, values, nextPlaces, nextValues, b);
                c = Window(from + 2 * step, places, values, nextPlaces, nextValues, c);
                d = Window(from + 3 * step, places, values, nextPlaces, nextValues, d);
                e = Window(from + 4 * step, places, values, nextPlaces, nextValues, e);
                f = Window(from + 5 * step, places, values, nextPlaces, nextValues, f);
                g = Window(from + 6 * step, places, values, nextPlaces, nextValues, g);
                h = Window(from + 7 * step, places, values, nextPlaces, nextValues, h);
            }

            a.Store(sums);
            b.Store(sums + stride);
            c.Store(sums + 2 * stride);
            d.Store(sums + 3 * stride);
            e.Store(sums + 4 * stride);
            f.Store(sums + 5 * stride);
            g.Store(sums + 6 * stride);
            h.Store(sums + 7 * stride);
        }
    }

    /// <summary>Four columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FourColumns(byte* x, nint step, int* sums, nint stride)
    {
        var place = _places.Pointer;
        var value = (byte*)_values.Pointer;
        var bias = _bias.Pointer;
        int* start = _starts.Pointer, first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 16, sums += 16)
        {
            var last = first + end[group];
            var a = Vector512.Load(bias);
            var (b, c, d) = (a, a, a);
            for (; start < last; start++, place += 128, value += 128)
            {
                var from = x + (nuint)(*start);
                var (places, values) = (Vector512.Load(place), Vector512.Load(value).AsSByte());
                var (nextPlaces, nextValues) = (Vector512.Load(place + 64), Vector512.Load(value + 64).AsSByte());
                a = Window(from, places, values, nextPlaces, nextValues, a);
                b = Window(from + step, places, values, nextPlaces, nextValues, b);
                c = Window(from + 2 * step, places, values, nextPlaces, nextValues, c);
                d = Window(from + 3 * step, places, values, nextPlaces, nextValues, d);
            }

            a.Store(sums);
            b.Store(sums + stride);
            c.Store(sums + 2 * stride);
            d.Store(sums + 3 * stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Column(byte* x, int* sums)
    {
        var place = _places.Pointer;
        var value = (byte*)_values.Pointer;
        var bias = _bias.Pointer;
        int* start = _starts.Pointer, first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 16, sums += 16)
        {
            var last = first + end[group];
            var (a, b, c, d) = (Vector512.Load(bias), Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero);
            for (; start + 1 < last; start += 2, place += 256, value += 256)
            {
                byte* from = x + (nuint)start[0], next = x + (nuint)start[1];
                var (low, high) = (Vector512.Load(from), Vector512.Load(from + 64));
                a = Step(low, high, Vector512.Load(place), Vector512.Load(value).AsSByte(), a);
                b = Step(low, high, Vector512.Load(place + 64), Vector512.Load(value + 64).AsSByte(), b);
                (low, high) = (Vector512.Load(next), Vector512.Load(next + 64));
                c = Step(low, high, Vector512.Load(place + 128), Vector512.Load(value + 128).AsSByte(), c);
                d = Step(low, high, Vector512.Load(place + 192), Vector512.Load(value + 192).AsSByte(), d);
            }

            for (; start < last; start++, place += 128, value += 128)
            {
                a = Window(x + (nuint)(*start), Vector512.Load(place), Vector512.Load(value).AsSByte(), Vector512.Load(place + 64),
                    Vector512.Load(value + 64).AsSByte(), a);
            }

            (a + b + (c + d)).Store(sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Window(byte* x, Vector512<byte> places, Vector512<sbyte> values, Vector512<byte> nextPlaces, Vector512<sbyte> nextValues,
        Vector512<int> sums)
    {
        var (low, high) = (Vector512.Load(x), Vector512.Load(x + 64));
        return Step(low, high, nextPlaces, nextValues, Step(low, high, places, values, sums));
    }

    /// <summary>The permutation reads seven bits of each place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Step(Vector512<byte> low, Vector512<byte> high, Vector512<byte> places, Vector512<sbyte> values, Vector512<int> sums)
        => sums + Avx512BW.MultiplyAddAdjacent(Avx512BW.MultiplyAddAdjacent(Avx512Vbmi.PermuteVar64x8x2(low, places, high), values), Vector512<short>.One);
}
