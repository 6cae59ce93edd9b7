using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A matrix times one column, where non-zeros lie in blocks of 4, 8 or 16 outputs by one input, or of one output by as many inputs: a vector of weights at
/// once, times an input for all of its outputs or the inputs next to each other, which nothing has to look up. Blocks of which a part is zero are computed
/// whole.
/// </summary>
internal sealed unsafe class BlockProduct : IVectorProduct
{
    private readonly int _lanes;
    private readonly bool _isOfInputs;
    private readonly bool _isInPairs;
    private readonly Aligned<int> _ends;
    private readonly Aligned<ushort> _inputs;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;

    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    /// <param name="lanes">Weights of a block: 4, 8 or 16.</param>
    /// <param name="isOfInputs">Whether a block is of the inputs of one output, and not of the outputs that read one input.</param>
    public BlockProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int lanes, bool isOfInputs = false)
    {
        (_lanes, _isOfInputs, _isInPairs) = (lanes, isOfInputs, lanes == 8 && !isOfInputs && Avx512F.IsSupported);
        var (ends, places, values) = (new List<int>(), new List<ushort>(), new List<float>());
        Span<float> block = stackalloc float[lanes];
        var (rows, inputs) = (bias.Length, weights.Length / bias.Length);
        for (var row = 0; row < rows; row += isOfInputs ? 1 : lanes)
        {
            for (var input = 0; input < inputs; input += isOfInputs ? lanes : 1)
            {
                if (Read(weights, rows, row, input, isOfInputs, block, out var first))
                {
                    places.Add((ushort)first);
                    values.AddRange(block);
                }
            }

            if (_isInPairs && places.Count % 2 == 1)
            {
                places.Add(places[^1]);
                values.AddRange(new float[lanes]);
            }

            ends.Add(places.Count);
        }

        (_ends, _inputs, _values, _bias) = (new(ends), new(places), new(values), new(ends.Count * (isOfInputs ? 1 : lanes)));
        bias.CopyTo(_bias.Span);
    }

    public int Rows => _bias.Length;

    public double Cost => CostOf(_inputs.Length, _bias.Length, _lanes, _isOfInputs);

    /// <summary>What it would cost; infinite for blocks of more inputs than there are, and where an input's number has more than 16 bits.</summary>
    public static double CostOf(ReadOnlySpan<float> weights, int rows, int lanes, bool isOfInputs)
    {
        var (count, inputs) = (0, weights.Length / rows);
        if (isOfInputs && inputs < lanes || inputs > ushort.MaxValue + 1)
        {
            return double.PositiveInfinity;
        }

        Span<float> block = stackalloc float[lanes];
        for (var row = 0; row < rows; row += isOfInputs ? 1 : lanes)
        {
            for (var input = 0; input < inputs; input += isOfInputs ? lanes : 1)
            {
                count += Read(weights, rows, row, input, isOfInputs, block, out _) ? 1 : 0;
            }
        }

        return CostOf(count, rows, lanes, isOfInputs);
    }

    public void Run(float* x, float* y, bool relu)
    {
        switch (_lanes)
        {
            case 16:
                Run<Lanes512, Vector512<float>>(x, y, relu);
                break;
            case 8 when _isInPairs:
                OutputsInPairs(x, y, relu);
                break;
            case 8:
                Run<Lanes256, Vector256<float>>(x, y, relu);
                break;
            default:
                Run<Lanes128, Vector128<float>>(x, y, relu);
                break;
        }
    }

    // An output by itself takes the sum of a vector besides its blocks.
    private static double CostOf(int blocks, int rows, int lanes, bool isOfInputs)
        => blocks * (lanes switch { 16 => 1, 8 => 0.56, _ => 0.5 }) + (isOfInputs ? 2 * rows : 0);

    /// <summary>Reads a block; whether it has a non-zero.</summary>
    private static bool Read(ReadOnlySpan<float> weights, int rows, int row, int input, bool isOfInputs, Span<float> block, out int first)
    {
        var inputs = weights.Length / rows;
        // The last inputs are read with some before them, whose weights are zero here: what lies behind them is not theirs.
        first = isOfInputs ? Math.Min(input, inputs - block.Length) : input;
        var any = false;
        for (var lane = 0; lane < block.Length; lane++)
        {
            var place = isOfInputs ? row * inputs + first + lane : (row + lane) * inputs + input;
            block[lane] = (isOfInputs ? first + lane >= input : row + lane < rows) ? weights[place] : 0;
            any |= block[lane] != 0;
        }

        return any;
    }

    private void Run<TLanes, TVector>(float* x, float* y, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        if (_isOfInputs)
        {
            Inputs<TLanes, TVector>(x, y, relu);
        }
        else
        {
            Outputs<TLanes, TVector>(x, y, relu);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Outputs<TLanes, TVector>(float* x, float* y, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var lanes = TLanes.Count;
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        ushort* input = _inputs.Pointer, first = input;
        var end = _ends.Pointer;
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

    /// <summary>Two blocks of eight outputs in a vector of 512 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OutputsInPairs(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var bias = _bias.Pointer;
        ushort* input = _inputs.Pointer, first = input;
        var end = _ends.Pointer;
        var zero = Vector512<float>.Zero;
        for (var group = 0; group < _ends.Length; group++, y += 8, bias += 8)
        {
            var last = first + end[group];
            var (a, b, c, d) = (zero, zero, zero, zero);
            for (; input + 7 < last; input += 8, value += 64)
            {
                // Four inputs are loaded at a time: a step costs its loads.
                var (four, next) = (*(ulong*)input, *(ulong*)(input + 4));
                a = Vector512.MultiplyAddEstimate(Pair(x, four), Vector512.Load(value), a);
                b = Vector512.MultiplyAddEstimate(Pair(x, four >> 32), Vector512.Load(value + 16), b);
                c = Vector512.MultiplyAddEstimate(Pair(x, next), Vector512.Load(value + 32), c);
                d = Vector512.MultiplyAddEstimate(Pair(x, next >> 32), Vector512.Load(value + 48), d);
            }

            for (; input < last; input += 2, value += 16)
            {
                a = Vector512.MultiplyAddEstimate(Pair(x, *(uint*)input), Vector512.Load(value), a);
            }

            a = a + b + (c + d);
            var sum = Vector256.Load(bias) + a.GetLower() + a.GetUpper();
            (relu ? Vector256.Max(sum, Vector256<float>.Zero) : sum).Store(y);
        }
    }

    /// <summary>An input eight times, and another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Pair(float* x, ulong inputs)
        => Avx512F.Shuffle4x128(Vector512.Create(x[(ushort)inputs]), Vector512.Create(x[(ushort)(inputs >> 16)]), 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Inputs<TLanes, TVector>(float* x, float* y, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        var lanes = TLanes.Count;
        var value = _values.Pointer;
        ushort* input = _inputs.Pointer, first = input;
        var end = _ends.Pointer;
        for (var row = 0; row < _ends.Length; row++)
        {
            var last = first + end[row];
            var (a, b, c, d) = (TLanes.Zero, TLanes.Zero, TLanes.Zero, TLanes.Zero);
            for (; input + 3 < last; input += 4, value += 4 * lanes)
            {
                a = TLanes.MultiplyAdd(TLanes.Load(x + (nuint)input[0]), TLanes.Load(value), a);
                b = TLanes.MultiplyAdd(TLanes.Load(x + (nuint)input[1]), TLanes.Load(value + lanes), b);
                c = TLanes.MultiplyAdd(TLanes.Load(x + (nuint)input[2]), TLanes.Load(value + 2 * lanes), c);
                d = TLanes.MultiplyAdd(TLanes.Load(x + (nuint)input[3]), TLanes.Load(value + 3 * lanes), d);
            }

            for (; input < last; input++, value += lanes)
            {
                a = TLanes.MultiplyAdd(TLanes.Load(x + (nuint)input[0]), TLanes.Load(value), a);
            }

            var sum = TLanes.Sum(TLanes.Add(TLanes.Add(a, b), TLanes.Add(c, d))) + _bias.Pointer[row];
            // Not MathF.Max, so that what is no number stays none.
            y[row] = relu && sum < 0 ? 0 : sum;
        }
    }
}
