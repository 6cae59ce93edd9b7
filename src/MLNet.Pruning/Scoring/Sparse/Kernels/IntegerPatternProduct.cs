using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A matrix of small integers of N:M sparsity, such as two non-zeros in every four, times columns of bytes. As <see cref="IntegerProduct"/>, but every output
/// takes as many steps in each window of 16 neighbouring inputs: where windows start needs no memory, and a place in one has four bits, so that a weight takes
/// 1.5 bytes in place of 2. With AVX2 a window is looked up at once, which takes two permutations of 16 bytes else.
/// </summary>
internal sealed unsafe class IntegerPatternProduct : IIntegerProduct
{
    /// <summary>Inputs of a window.</summary>
    private const int Window = 16;

    /// <summary>Non-zeros of an output in a step.</summary>
    private const int Slots = 4;

    /// <summary>Of a place: those of two steps are in a byte.</summary>
    private const int Bits = 4;

    private const double LeastTaken = 0.9;

    /// <summary>Steps of a round.</summary>
    private const int Unrolled = 4;

    private readonly int _lanes;
    private readonly Aligned<int> _starts;
    private readonly Aligned<byte> _places;
    private readonly Aligned<sbyte> _values;
    private readonly Aligned<int> _bias;

    /// <param name="weights">Outputs x inputs.</param>
    /// <param name="bias">One for each output.</param>
    /// <param name="first">Where the first input is, in bytes; the others follow it.</param>
    /// <param name="lanes">Outputs at a time: 16, 8 or 4.</param>
    public IntegerPatternProduct(ReadOnlySpan<sbyte> weights, ReadOnlySpan<int> bias, int first, int lanes)
    {
        _lanes = lanes;
        var inputs = weights.Length / bias.Length;
        var (groups, each, steps) = Sizes(weights, bias.Length, lanes);
        _starts = new(steps);
        for (var step = 0; step < steps; step++)
        {
            _starts.Span[step] = first + Math.Min(step / each, (inputs - 1) / Window) * Window;
        }

        (_values, _places, _bias) = (new(groups * steps * Slots * lanes), new(groups * steps / 2 * Slots * lanes), new(groups * lanes));
        bias.CopyTo(_bias.Span);
        for (var row = 0; row < bias.Length; row++)
        {
            for (var (input, taken) = (0, 0); input < inputs; input++)
            {
                taken = input % Window == 0 ? input / Window * each * Slots : taken;
                if (weights[row * inputs + input] is not 0 and var weight)
                {
                    var (step, slot) = (row / lanes * steps + taken / Slots, taken++ % Slots);
                    var place = IntegerProduct.Place(row % lanes, slot, lanes);
                    _values.Span[step * Slots * lanes + place] = weight;
                    _places.Span[step / 2 * Slots * lanes + place] |= (byte)(input % Window << (step % 2 * Bits));
                }
            }
        }
    }

    public int Rows => _bias.Length;

    public int Together => 4;

    /// <summary>Whether nine in ten of the places that its steps would have are taken.</summary>
    public static bool Fits(ReadOnlySpan<sbyte> weights, int rows)
        => Sizes(weights, rows, 1) is var (_, _, steps) && weights.Length - weights.Count((sbyte)0) > LeastTaken * steps * Slots * rows;

    public void Run(byte* x, nint step, int count, int* sums, nint stride)
    {
        switch (_lanes)
        {
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

    /// <summary>Groups of outputs, steps in each window, and steps of a group, with those that fill up the last round.</summary>
    private static (int Groups, int Each, int Steps) Sizes(ReadOnlySpan<sbyte> weights, int rows, int lanes)
    {
        var (inputs, most) = (weights.Length / rows, 0);
        for (var row = 0; row < rows; row++)
        {
            for (var window = 0; window < inputs; window += Window)
            {
                var kept = weights.Slice(row * inputs + window, Math.Min(Window, inputs - window));
                most = Math.Max(most, kept.Length - kept.Count((sbyte)0));
            }
        }

        var each = (most + Slots - 1) / Slots;
        return ((rows + lanes - 1) / lanes, each, ((inputs + Window - 1) / Window * each + Unrolled - 1) / Unrolled * Unrolled);
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
        int* first = _starts.Pointer, last = first + _starts.Length;
        for (var end = bias + _bias.Length; bias < end; bias += outputs, sums += outputs)
        {
            var a = TLanes.Load(bias);
            var (b, c, d) = (a, a, a);
            for (var start = first; start < last; start += 2, place += bytes, value += 2 * bytes)
            {
                var both = TLanes.Load(place);
                var (low, high) = (TLanes.Low(both), TLanes.High(both));
                var (earlier, later) = (TLanes.Load(value), TLanes.Load(value + bytes));
                var (from, to) = ((nuint)start[0], (nuint)start[1]);
                a = TLanes.StepOf16(x + to, high, later, TLanes.StepOf16(x + from, low, earlier, a));
                b = TLanes.StepOf16(x1 + to, high, later, TLanes.StepOf16(x1 + from, low, earlier, b));
                c = TLanes.StepOf16(x2 + to, high, later, TLanes.StepOf16(x2 + from, low, earlier, c));
                d = TLanes.StepOf16(x3 + to, high, later, TLanes.StepOf16(x3 + from, low, earlier, d));
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
        int* first = _starts.Pointer, last = first + _starts.Length;
        for (var end = bias + _bias.Length; bias < end; bias += outputs, sums += outputs)
        {
            var (a, b, c, d) = (TLanes.Load(bias), TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (var start = first; start < last; start += Unrolled, place += 2 * bytes, value += 4 * bytes)
            {
                var (both, next) = (TLanes.Load(place), TLanes.Load(place + bytes));
                a = TLanes.StepOf16(x + (nuint)start[0], TLanes.Low(both), TLanes.Load(value), a);
                b = TLanes.StepOf16(x + (nuint)start[1], TLanes.High(both), TLanes.Load(value + bytes), b);
                c = TLanes.StepOf16(x + (nuint)start[2], TLanes.Low(next), TLanes.Load(value + 2 * bytes), c);
                d = TLanes.StepOf16(x + (nuint)start[3], TLanes.High(next), TLanes.Load(value + 3 * bytes), d);
            }

            TLanes.Store(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d)), sums);
        }
    }
}
