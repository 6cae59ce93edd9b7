using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A matrix times one column, where outputs that follow one another have their non-zeros at the same inputs, as blocks of 4, 8 or 16 outputs do: an input for
/// all of a vector's outputs at once, which nothing has to look up. Blocks of which a part is zero are computed whole.
/// </summary>
internal sealed unsafe class BlockProduct : IVectorProduct
{
    private readonly int _lanes;
    private readonly Aligned<int> _ends;
    private readonly Aligned<int> _inputs;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;

    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    /// <param name="lanes">Outputs of a block: 4, 8 or 16.</param>
    public BlockProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int lanes)
    {
        _lanes = lanes;
        var inputs = weights.Length / bias.Length;
        var (ends, places, values) = (new List<int>(), new List<int>(), new List<float>());
        for (var row = 0; row < bias.Length; row += lanes)
        {
            for (var input = 0; input < inputs; input++)
            {
                if (IsBlock(weights, inputs, row, Math.Min(bias.Length, row + lanes), input))
                {
                    places.Add(input);
                    for (var lane = 0; lane < lanes; lane++)
                    {
                        values.Add(row + lane < bias.Length ? weights[(row + lane) * inputs + input] : 0);
                    }
                }
            }

            ends.Add(places.Count);
        }

        (_ends, _inputs, _values, _bias) = (new(ends), new(places), new(values), new(ends.Count * lanes));
        bias.CopyTo(_bias.Span);
    }

    public int Rows => _bias.Length;

    public double Cost => CostOf(_inputs.Length, _lanes);

    /// <summary>Blocks with a non-zero.</summary>
    public static int Count(ReadOnlySpan<float> weights, int rows, int lanes)
    {
        var (count, inputs) = (0, weights.Length / rows);
        for (var row = 0; row < rows; row += lanes)
        {
            for (var input = 0; input < inputs; input++)
            {
                count += IsBlock(weights, inputs, row, Math.Min(rows, row + lanes), input) ? 1 : 0;
            }
        }

        return count;
    }

    public static double CostOf(int blocks, int lanes) => blocks * (lanes switch { 16 => 1, 8 => 0.56, _ => 0.5 });

    public void Run(float* x, float* y, bool relu)
    {
        switch (_lanes)
        {
            case 16:
                Run<Lanes512, Vector512<float>>(x, y, relu);
                break;
            case 8:
                Run<Lanes256, Vector256<float>>(x, y, relu);
                break;
            default:
                Run<Lanes128, Vector128<float>>(x, y, relu);
                break;
        }
    }

    private static bool IsBlock(ReadOnlySpan<float> weights, int inputs, int row, int end, int input)
    {
        for (; row < end; row++)
        {
            if (weights[row * inputs + input] != 0)
            {
                return true;
            }
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run<TLanes, TVector>(float* x, float* y, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var lanes = TLanes.Count;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        int* input = _inputs.Pointer, first = input, end = _ends.Pointer;
        for (var group = 0; group < _ends.Length; group++, y += lanes, bias += lanes)
        {
            var last = first + end[group];
            var (a, b, c, d) = (TLanes.Load(bias), TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (; input + 3 < last; input += 4, value += 4 * lanes)
            {
                a = TLanes.MultiplyAdd(TLanes.Broadcast(x + (nuint)input[0]), TLanes.Load(value), a);
                b = TLanes.MultiplyAdd(TLanes.Broadcast(x + (nuint)input[1]), TLanes.Load(value + lanes), b);
                c = TLanes.MultiplyAdd(TLanes.Broadcast(x + (nuint)input[2]), TLanes.Load(value + 2 * lanes), c);
                d = TLanes.MultiplyAdd(TLanes.Broadcast(x + (nuint)input[3]), TLanes.Load(value + 3 * lanes), d);
            }

            for (; input < last; input++, value += lanes)
            {
                a = TLanes.MultiplyAdd(TLanes.Broadcast(x + (nuint)input[0]), TLanes.Load(value), a);
            }

            a = TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d));
            TLanes.Store(relu ? TLanes.Max(a, TLanes.Zero) : a, y);
        }
    }
}
