using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse matrix of small integers times columns of bytes: as many outputs at a time as a vector has 32-bit sums. A step takes up to four non-zeros of each
/// of these outputs out of a window of neighbouring inputs, which a permutation looks up in a register; the window starts at the first input that an output
/// still waits for. Several columns take a step together, so that its places and weights are loaded once. With AVX-512 a window may be two registers, of which
/// two steps are taken.
/// </summary>
/// <remarks>
/// Outputs with as many non-zeros as each other should stand together, so that few places of a step stay empty. Two products of a byte and a weight of at most
/// <see cref="Most"/> fit 16 bits, in which processors add them up first.
/// </remarks>
internal sealed unsafe partial class IntegerProduct : IIntegerProduct
{
    /// <summary>Largest magnitude of a weight: 2 * 255 * 64 is below 2^15.</summary>
    public const int Most = 64;

    /// <summary>Bytes that may be read beyond the inputs.</summary>
    public const int Slack = 128;

    /// <summary>Non-zeros of an output in a step.</summary>
    private const int Slots = 4;

    /// <summary>How much longer a step in a window of one vector takes than in one of two, whose loads it shares.</summary>
    private const double StepOfOneVector = 1.1;

    private readonly int _lanes;
    private readonly bool _isWide;
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

        var (ends, starts, taken) = Steps(rows, lanes, isWide: false);
        // Where few inputs lie together, as those of a convolution's window may, two steps of each window leave more places empty.
        if (lanes == 16 && Steps(rows, lanes, isWide: true) is var wide && wide.Taken.Count < StepOfOneVector * taken.Count)
        {
            (_isWide, (ends, starts, taken)) = (true, wide);
        }

        _ends = new(ends);
        (_starts, _places, _values) = (new(starts), new(Slots * taken.Count), new(Slots * taken.Count));
        for (var i = 0; i < taken.Count; i++)
        {
            var (row, first, count) = taken[i];
            for (var slot = 0; slot < count; slot++)
            {
                var place = i / lanes * lanes * Slots + Place(i % lanes, slot, lanes);
                _places.Span[place] = (byte)(rows[row][first + slot].Offset - starts[i / lanes / (_isWide ? 2 : 1)]);
                _values.Span[place] = rows[row][first + slot].Weight;
            }
        }

        _bias = new(rows.Length);
        bias.CopyTo(_bias.Span);
    }

    /// <summary>Outputs at a time with the widest vectors there are.</summary>
    public static int Lanes => Avx512Vbmi.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;

    public int Rows => _bias.Length;

    public int Together => _isWide ? 8 : 4;

    /// <summary>Where a slot of an output is in a step: an output's side by side, as x64 adds up neighbours; else slot by slot.</summary>
    public static int Place(int output, int slot, int lanes) => lanes > 4 ? output * Slots + slot : slot * lanes + output;

    public void Run(byte* x, nint step, int count, int* sums, nint stride)
    {
        switch (_lanes)
        {
            case 16 when _isWide:
                Wide(x, step, count, sums, stride);
                break;
            case 16:
                Run<IntegerLanes512, Vector512<int>, Vector512<byte>>(x, step, count, sums, stride);
                break;
            case 8:
                Run<IntegerLanes256, Vector256<int>, Vector256<byte>>(x, step, count, sums, stride);
                break;
            default:
                Run<IntegerLanes128, Vector128<int>, Vector128<byte>>(x, step, count, sums, stride);
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

    /// <summary>The steps of all groups of rows: where those of each end, where each window starts, and which non-zeros each row takes.</summary>
    private static (List<int> Ends, List<int> Starts, List<(int Row, int First, int Count)> Taken) Steps((int Offset, sbyte Weight)[][] rows, int lanes,
        bool isWide)
    {
        var (ends, starts, taken) = (new List<int>(), new List<int>(), new List<(int, int, int)>());
        for (var group = 0; group < rows.Length; group += lanes)
        {
            AddSteps(rows, group, lanes, isWide, starts, taken);
            ends.Add(starts.Count);
        }

        return (ends, starts, taken);
    }

    private static void AddSteps((int Offset, sbyte Weight)[][] rows, int first, int lanes, bool isWide, List<int> starts,
        List<(int Row, int First, int Count)> taken)
    {
        // Two vectors from the middle of a cache line on are three lines, two steps one and a half; one vector from anywhere is two lines.
        var (window, align) = isWide ? (2 * lanes * Slots, lanes * Slots / 2) : (lanes * Slots, 1);
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

            start = start / align * align;
            starts.Add(start);
            for (var i = 0; i < (isWide ? 2 : 1) * lanes; i++)
            {
                var lane = i % lanes;
                var (row, before) = (rows[first + lane], next[lane]);
                while (next[lane] < row.Length && next[lane] < before + Slots && row[next[lane]].Offset - start < window)
                {
                    next[lane]++;
                }

                taken.Add((first + lane, before, next[lane] - before));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run<TLanes, TSums, TBytes>(byte* x, nint step, int count, int* sums, nint stride)
        where TLanes : struct, IIntegerLanes<TSums, TBytes>
        where TSums : struct
        where TBytes : struct
    {
        for (; count >= 4; count -= 4, x += 4 * step, sums += 4 * stride)
        {
            Several<TLanes, TSums, TBytes>(x, step, sums, stride);
        }

        for (; count > 0; count--, x += step, sums += stride)
        {
            One<TLanes, TSums, TBytes>(x, sums);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Several<TLanes, TSums, TBytes>(byte* x, nint step, int* sums, nint stride)
        where TLanes : struct, IIntegerLanes<TSums, TBytes>
        where TSums : struct
        where TBytes : struct
    {
        var (outputs, bytes) = (TLanes.Count, TLanes.Count * Slots);
        var place = _places.Pointer;
        var value = (byte*)_values.Pointer;
        var bias = _bias.Pointer;
        byte* x1 = x + step, x2 = x1 + step, x3 = x2 + step;
        int* start = _starts.Pointer, first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += outputs, sums += outputs)
        {
            var last = first + end[group];
            var a = TLanes.Load(bias);
            var (b, c, d) = (a, a, a);
            for (; start < last; start++, place += bytes, value += bytes)
            {
                var (from, places, values) = ((nuint)(*start), TLanes.Load(place), TLanes.Load(value));
                a = TLanes.Step(x + from, places, values, a);
                b = TLanes.Step(x1 + from, places, values, b);
                c = TLanes.Step(x2 + from, places, values, c);
                d = TLanes.Step(x3 + from, places, values, d);
            }

            TLanes.Store(a, sums);
            TLanes.Store(b, sums + stride);
            TLanes.Store(c, sums + 2 * stride);
            TLanes.Store(d, sums + 3 * stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One<TLanes, TSums, TBytes>(byte* x, int* sums)
        where TLanes : struct, IIntegerLanes<TSums, TBytes>
        where TSums : struct
        where TBytes : struct
    {
        var (outputs, bytes) = (TLanes.Count, TLanes.Count * Slots);
        var place = _places.Pointer;
        var value = (byte*)_values.Pointer;
        var bias = _bias.Pointer;
        int* start = _starts.Pointer, first = start, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, bias += outputs, sums += outputs)
        {
            var last = first + end[group];
            var (a, b, c, d) = (TLanes.Load(bias), TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (; start + 3 < last; start += 4, place += 4 * bytes, value += 4 * bytes)
            {
                a = TLanes.Step(x + (nuint)start[0], TLanes.Load(place), TLanes.Load(value), a);
                b = TLanes.Step(x + (nuint)start[1], TLanes.Load(place + bytes), TLanes.Load(value + bytes), b);
                c = TLanes.Step(x + (nuint)start[2], TLanes.Load(place + 2 * bytes), TLanes.Load(value + 2 * bytes), c);
                d = TLanes.Step(x + (nuint)start[3], TLanes.Load(place + 3 * bytes), TLanes.Load(value + 3 * bytes), d);
            }

            for (; start < last; start++, place += bytes, value += bytes)
            {
                a = TLanes.Step(x + (nuint)(*start), TLanes.Load(place), TLanes.Load(value), a);
            }

            TLanes.Store(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)), sums);
        }
    }
}
