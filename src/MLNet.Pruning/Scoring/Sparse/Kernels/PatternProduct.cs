using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A matrix of N:M sparsity (Mishra et al. 2021, https://arxiv.org/abs/2104.08378), such as two non-zeros in every four, times one column: as many rows of the
/// matrix at a time as a vector has numbers. Every row has as many steps in each window of as many inputs, and takes a non-zero a step; four bits say which.
/// </summary>
/// <remarks>
/// Where windows start needs no memory, and no place stays empty, as they do in a <see cref="WindowProduct"/>. Each pair of steps is of one window, so that any
/// of the M that divides a window's inputs fits.
/// </remarks>
internal sealed unsafe class PatternProduct : IVectorProduct
{
    /// <summary>Steps whose places are in one number.</summary>
    private const int Steps = 8;

    /// <summary>Of a place.</summary>
    private const int Bits = 4;

    private readonly int _lanes;
    private readonly Aligned<int> _starts;
    private readonly Aligned<uint> _places;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;

    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    /// <param name="lanes">Rows at a time: 16, 8 or 4.</param>
    public PatternProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int lanes)
    {
        _lanes = lanes;
        var inputs = weights.Length / bias.Length;
        var (groups, each, steps) = Sizes(weights, bias.Length, lanes);
        _starts = new(steps / 2);
        for (var step = 0; step < steps; step += 2)
        {
            // Steps that fill up the last number look up what is there.
            _starts.Span[step / 2] = Math.Min(step / each, (inputs - 1) / lanes) * lanes;
        }

        (_values, _places, _bias) = (new(groups * steps * lanes), new(groups * steps / Steps * lanes), new(groups * lanes));
        bias.CopyTo(_bias.Span);
        for (var row = 0; row < bias.Length; row++)
        {
            for (var (input, step) = (0, 0); input < inputs; input++)
            {
                step = input % lanes == 0 ? input / lanes * each : step;
                if (weights[row * inputs + input] is not 0 and var weight)
                {
                    var at = row / lanes * steps + step++;
                    _values.Span[at * lanes + row % lanes] = weight;
                    _places.Span[at / Steps * lanes + row % lanes] |= (uint)(input % lanes) << (at % Steps * Bits);
                }
            }
        }
    }

    public int Rows => _bias.Length;

    public double Cost => _values.Length / _lanes * CostOfStep(_lanes);

    /// <summary>What <see cref="Cost"/> would be.</summary>
    public static double CostOf(ReadOnlySpan<float> weights, int rows, int lanes)
        => Sizes(weights, rows, lanes) is var (groups, _, steps) ? groups * steps * CostOfStep(lanes) : 0;

    public void Run(float* x, float* y, bool relu)
    {
        switch (_lanes)
        {
            case 16:
                Run<Lanes512, Lookup512, Vector512<float>, Vector512<int>>(x, y, relu);
                break;
            case 8:
                Run<Lanes256, Lookup256, Vector256<float>, Vector256<int>>(x, y, relu);
                break;
            default:
                Run<Lanes128, Lookup128, Vector128<float>, Vector128<int>>(x, y, relu);
                break;
        }
    }

    private static double CostOfStep(int lanes) => lanes switch { 16 => 0.95, 8 => 0.5, _ => 0.31 };

    /// <summary>Groups of rows, steps in each window, and steps of a group.</summary>
    private static (int Groups, int Each, int Steps) Sizes(ReadOnlySpan<float> weights, int rows, int lanes)
    {
        var (inputs, most) = (weights.Length / rows, 0);
        for (var row = 0; row < rows; row++)
        {
            for (var window = 0; window < inputs; window += lanes)
            {
                var kept = weights.Slice(row * inputs + window, Math.Min(lanes, inputs - window));
                most = Math.Max(most, kept.Length - kept.Count(0));
            }
        }

        var each = (most + 1) / 2 * 2;
        return ((rows + lanes - 1) / lanes, each, ((inputs + lanes - 1) / lanes * each + Steps - 1) / Steps * Steps);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run<TLanes, TLookup, TVector, TPlaces>(float* x, float* y, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TLookup : struct, ILookup<TVector, TPlaces>
        where TVector : struct
        where TPlaces : struct
    {
        var lanes = TLanes.Count;
        var value = _values.Pointer;
        var place = _places.Pointer;
        var bias = _bias.Pointer;
        int* first = _starts.Pointer, last = first + _starts.Length;
        for (var end = bias + _bias.Length; bias < end; bias += lanes, y += lanes)
        {
            var (a, b, c, d) = (TLanes.Load(bias), TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (var start = first; start < last; start += Steps / 2, place += lanes, value += Steps * lanes)
            {
                var places = TLookup.Load(place);
                var window = TLanes.Load(x + (nuint)start[0]);
                a = TLanes.MultiplyAdd(TLookup.Of(window, places, 0), TLanes.Load(value), a);
                b = TLanes.MultiplyAdd(TLookup.Of(window, places, Bits), TLanes.Load(value + lanes), b);
                window = TLanes.Load(x + (nuint)start[1]);
                c = TLanes.MultiplyAdd(TLookup.Of(window, places, 2 * Bits), TLanes.Load(value + 2 * lanes), c);
                d = TLanes.MultiplyAdd(TLookup.Of(window, places, 3 * Bits), TLanes.Load(value + 3 * lanes), d);
                window = TLanes.Load(x + (nuint)start[2]);
                a = TLanes.MultiplyAdd(TLookup.Of(window, places, 4 * Bits), TLanes.Load(value + 4 * lanes), a);
                b = TLanes.MultiplyAdd(TLookup.Of(window, places, 5 * Bits), TLanes.Load(value + 5 * lanes), b);
                window = TLanes.Load(x + (nuint)start[3]);
                c = TLanes.MultiplyAdd(TLookup.Of(window, places, 6 * Bits), TLanes.Load(value + 6 * lanes), c);
                d = TLanes.MultiplyAdd(TLookup.Of(window, places, 7 * Bits), TLanes.Load(value + 7 * lanes), d);
            }

            a = TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d));
            TLanes.Store(relu ? TLanes.Max(a, TLanes.Zero) : a, y);
        }
    }
}
