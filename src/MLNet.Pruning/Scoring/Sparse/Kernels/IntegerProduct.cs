using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse matrix of small integers times columns of bytes: as many outputs at a time as a vector has 32-bit sums. A step takes up to four non-zeros of each
/// of these outputs out of a window of neighbouring inputs, which a permutation looks up in a register; the window starts at the first input that an output
/// still waits for. Several columns take a step together, so that its places and weights are loaded once.
/// </summary>
/// <remarks>
/// Outputs with as many non-zeros as each other should stand together, so that few places of a step stay empty. Two products of a byte and a weight of at most
/// <see cref="Most"/> fit 16 bits, in which processors add them up first. Where a permutation of 64 bytes is missing (VBMI) the window has 32, of two of 16;
/// without AVX2 it has 16.
/// </remarks>
internal sealed unsafe class IntegerProduct
{
    /// <summary>Largest magnitude of a weight: 2 * 255 * 64 is below 2^15.</summary>
    public const int Most = 64;

    /// <summary>Columns that take a step together.</summary>
    public const int Together = 4;

    /// <summary>Bytes that may be read beyond the inputs.</summary>
    public const int Slack = 64;

    /// <summary>Non-zeros of an output in a step.</summary>
    private const int Slots = 4;

    private readonly int _lanes;
    private readonly Aligned<int> _ends;
    private readonly Aligned<int> _starts;
    private readonly Aligned<byte> _places;
    private readonly Aligned<sbyte> _values;
    private readonly Aligned<int> _bias;

    /// <param name="weights">Outputs x inputs.</param>
    /// <param name="bias">One for each output.</param>
    /// <param name="offsets">Where each input is, in bytes from the first; all different.</param>
    /// <param name="lanes">Outputs at a time: 16, 8 or 4.</param>
    public IntegerProduct(ReadOnlySpan<sbyte> weights, ReadOnlySpan<int> bias, ReadOnlySpan<int> offsets, int lanes)
    {
        _lanes = lanes;
        var inputs = offsets.Length;
        // From the first in memory to the last.
        int[] places = [.. offsets], sorted = [.. Enumerable.Range(0, inputs).OrderBy(input => places[input])];
        var rows = new (int Offset, sbyte Weight)[(bias.Length + lanes - 1) / lanes * lanes][];
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = row < bias.Length ? NonZeros(weights.Slice(row * inputs, inputs), sorted, places) : [];
        }

        var (starts, taken) = (new List<int>(), new List<(int Row, int First, int Count)>());
        _ends = new(rows.Length / lanes);
        for (var group = 0; group < _ends.Length; group++)
        {
            AddSteps(rows, group * lanes, lanes, starts, taken);
            _ends.Span[group] = starts.Count;
        }

        (_starts, _places, _values) = (new(starts), new(lanes * Slots * starts.Count), new(lanes * Slots * starts.Count));
        for (var i = 0; i < taken.Count; i++)
        {
            var (row, first, count) = taken[i];
            for (var slot = 0; slot < count; slot++)
            {
                // An output's slots side by side, as x64 adds up neighbours; else slot by slot.
                var place = i / lanes * lanes * Slots + (lanes > 4 ? i % lanes * Slots + slot : slot * lanes + i % lanes);
                _places.Span[place] = (byte)(rows[row][first + slot].Offset - starts[i / lanes]);
                _values.Span[place] = rows[row][first + slot].Weight;
            }
        }

        _bias = new(rows.Length);
        bias.CopyTo(_bias.Span);
    }

    /// <summary>Outputs at a time with the widest vectors there are.</summary>
    public static int Lanes => Avx512Vbmi.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;

    /// <summary>Sums that are written for a column: the outputs, and as many more as fill up the last vector.</summary>
    public int Rows => _bias.Length;

    /// <summary>Computes the sums of columns.</summary>
    /// <param name="x">The first column; <see cref="Slack"/> bytes behind the last may be read.</param>
    /// <param name="step">Bytes from one column to the next.</param>
    /// <param name="count">Columns.</param>
    /// <param name="sums">Receives the sums.</param>
    /// <param name="stride">From the sums of a column to those of the next.</param>
    public void Run(byte* x, nint step, int count, int* sums, nint stride)
    {
        switch (_lanes)
        {
            case 16:
                Sixteen(x, step, count, sums, stride);
                break;
            case 8:
                Eight(x, step, count, sums, stride);
                break;
            default:
                Four(x, step, count, sums, stride);
                break;
        }
    }

    private static (int Offset, sbyte Weight)[] NonZeros(ReadOnlySpan<sbyte> row, int[] sorted, int[] places)
    {
        var found = new List<(int, sbyte)>();
        foreach (var input in sorted)
        {
            if (row[input] != 0)
            {
                found.Add((places[input], row[input]));
            }
        }

        return [.. found];
    }

    /// <summary>The steps of a group of rows: where the window of each starts, and which non-zeros each row takes.</summary>
    private static void AddSteps((int Offset, sbyte Weight)[][] rows, int first, int lanes, List<int> starts, List<(int Row, int First, int Count)> taken)
    {
        var next = new int[lanes];
        while (true)
        {
            var start = int.MaxValue;
            for (var lane = 0; lane < lanes; lane++)
            {
                var row = rows[first + lane];
                start = next[lane] < row.Length ? Math.Min(start, row[next[lane]].Offset) : start;
            }

            if (start == int.MaxValue)
            {
                return;
            }

            starts.Add(start);
            for (var lane = 0; lane < lanes; lane++)
            {
                var (row, before) = (rows[first + lane], next[lane]);
                while (next[lane] < row.Length && next[lane] < before + Slots && row[next[lane]].Offset - start < lanes * Slots)
                {
                    next[lane]++;
                }

                taken.Add((first + lane, before, next[lane] - before));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sixteen(byte* x, nint step, int count, int* sums, nint stride)
    {
        for (; count >= Together; count -= Together, x += Together * step, sums += Together * stride)
        {
            SixteenTogether(x, step, sums, stride);
        }

        for (; count > 0; count--, x += step, sums += stride)
        {
            Sixteen(x, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SixteenTogether(byte* x, nint step, int* sums, nint stride)
    {
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        byte* x1 = x + step, x2 = x1 + step, x3 = x2 + step;
        int* first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 16, sums += 16)
        {
            var last = first + end[group];
            var a = Vector512.Load(bias);
            var (b, c, d) = (a, a, a);
            for (; start < last; start++, place += 64, value += 64)
            {
                var (from, places, values) = ((nuint)(*start), Vector512.Load(place), Vector512.Load(value));
                a = Step(x + from, places, values, a);
                b = Step(x1 + from, places, values, b);
                c = Step(x2 + from, places, values, c);
                d = Step(x3 + from, places, values, d);
            }

            a.Store(sums);
            b.Store(sums + stride);
            c.Store(sums + 2 * stride);
            d.Store(sums + 3 * stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sixteen(byte* x, int* sums)
    {
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        int* first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 16, sums += 16)
        {
            var last = first + end[group];
            var (a, b) = (Vector512.Load(bias), Vector512<int>.Zero);
            var (c, d) = (b, b);
            for (; start + 3 < last; start += 4, place += 256, value += 256)
            {
                a = Step(x + (nuint)start[0], Vector512.Load(place), Vector512.Load(value), a);
                b = Step(x + (nuint)start[1], Vector512.Load(place + 64), Vector512.Load(value + 64), b);
                c = Step(x + (nuint)start[2], Vector512.Load(place + 128), Vector512.Load(value + 128), c);
                d = Step(x + (nuint)start[3], Vector512.Load(place + 192), Vector512.Load(value + 192), d);
            }

            for (; start < last; start++, place += 64, value += 64)
            {
                a = Step(x + (nuint)(*start), Vector512.Load(place), Vector512.Load(value), a);
            }

            (a + b + (c + d)).Store(sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Step(byte* x, Vector512<byte> places, Vector512<sbyte> values, Vector512<int> sum) => sum + Avx512BW.MultiplyAddAdjacent(
        Avx512BW.MultiplyAddAdjacent(Avx512Vbmi.PermuteVar64x8(Vector512.Load(x), places), values), Vector512<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(byte* x, nint step, int count, int* sums, nint stride)
    {
        for (; count >= Together; count -= Together, x += Together * step, sums += Together * stride)
        {
            EightTogether(x, step, sums, stride);
        }

        for (; count > 0; count--, x += step, sums += stride)
        {
            Eight(x, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void EightTogether(byte* x, nint step, int* sums, nint stride)
    {
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        byte* x1 = x + step, x2 = x1 + step, x3 = x2 + step;
        int* first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 8, sums += 8)
        {
            var last = first + end[group];
            var a = Vector256.Load(bias);
            var (b, c, d) = (a, a, a);
            for (; start < last; start++, place += 32, value += 32)
            {
                var (from, places, values) = ((nuint)(*start), Vector256.Load(place), Vector256.Load(value));
                a = Step(x + from, places, values, a);
                b = Step(x1 + from, places, values, b);
                c = Step(x2 + from, places, values, c);
                d = Step(x3 + from, places, values, d);
            }

            a.Store(sums);
            b.Store(sums + stride);
            c.Store(sums + 2 * stride);
            d.Store(sums + 3 * stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(byte* x, int* sums)
    {
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        int* first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += 8, sums += 8)
        {
            var last = first + end[group];
            var (a, b) = (Vector256.Load(bias), Vector256<int>.Zero);
            for (; start + 1 < last; start += 2, place += 64, value += 64)
            {
                a = Step(x + (nuint)start[0], Vector256.Load(place), Vector256.Load(value), a);
                b = Step(x + (nuint)start[1], Vector256.Load(place + 32), Vector256.Load(value + 32), b);
            }

            if (start < last)
            {
                a = Step(x + (nuint)(*start), Vector256.Load(place), Vector256.Load(value), a);
                start++;
                place += 32;
                value += 32;
            }

            (a + b).Store(sums);
        }
    }

    /// <summary>A place whose highest bit is set gives zero: each half of the window looks up its own places, and the others give nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Step(byte* x, Vector256<byte> places, Vector256<sbyte> values, Vector256<int> sum)
    {
        var low = Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(x), places + Vector256.Create((byte)0x70));
        var high = Avx2.Shuffle(Avx2.BroadcastVector128ToVector256(x + 16), places - Vector256.Create((byte)16));
        return sum + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(low | high, values), Vector256<short>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(byte* x, nint step, int count, int* sums, nint stride)
    {
        for (var i = 0; i < count; i++, x += step, sums += stride)
        {
            var start = _starts.Pointer;
            var place = _places.Pointer;
            var value = _values.Pointer;
            int* first = start, end = _ends.Pointer;
            for (var group = 0; group < _ends.Length; group++)
            {
                var last = first + end[group];
                var sum = Vector128.Load(_bias.Pointer + 4 * group);
                for (; start < last; start++, place += 16, value += 16)
                {
                    // Of a slot and the next but one, which fits 16 bits.
                    var (inputs, weights) = (Vector128.ShuffleNative(Vector128.Load(x + (nuint)(*start)), Vector128.Load(place)), Vector128.Load(value));
                    var pairs = Vector128.WidenLower(inputs).AsInt16() * Vector128.WidenLower(weights)
                        + Vector128.WidenUpper(inputs).AsInt16() * Vector128.WidenUpper(weights);
                    sum += Vector128.WidenLower(pairs) + Vector128.WidenUpper(pairs);
                }

                sum.Store(sums + 4 * group);
            }
        }
    }
}
