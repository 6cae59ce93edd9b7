using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse matrix times one column: as many rows of the matrix at a time as a vector has numbers. A step takes at most one non-zero of each of these rows
/// out of a window of neighbouring inputs, in which a permutation looks them up; the window starts at the first input that a row still waits for.
/// </summary>
/// <remarks>
/// Rows with as many non-zeros as each other go together, so that few places of a step stay empty. A step costs its loads. With AVX-512 a window is two vectors
/// that lie at cache lines, loaded once for two steps; with AVX2 it is one, from wherever it starts. The places of several steps lie in one vector of
/// integers, a few bits each. Without both, the four inputs of a step are loaded one by one, from wherever they are.
/// </remarks>
internal sealed unsafe class WindowProduct : IVectorProduct
{
    private readonly int _lanes;
    private readonly Aligned<int> _ends;
    private readonly Aligned<int> _starts;
    private readonly Aligned<uint> _places;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;
    private readonly Aligned<int> _order;

    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    /// <param name="lanes">Rows at a time: 16, 8 or 4.</param>
    public WindowProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, int lanes)
    {
        _lanes = lanes;
        var inputs = weights.Length / bias.Length;
        var rows = new int[(bias.Length + lanes - 1) / lanes * lanes][];
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = row < bias.Length ? Inputs(weights.Slice(row * inputs, inputs)) : [];
        }

        _order = new([.. Enumerable.Range(0, rows.Length).OrderByDescending(row => rows[row].Length)]);
        var (ends, starts, places, values) = (new List<int>(), new List<int>(), new List<uint>(), new List<float>());
        for (var group = 0; group < rows.Length; group += lanes)
        {
            var order = _order.Span.Slice(group, lanes);
            foreach (var (i, (start, taken)) in Steps([.. order.ToArray().Select(row => rows[row])], lanes).Index())
            {
                if (lanes > 4 && i % Together(lanes) == 0)
                {
                    starts.Add(start);
                }

                if (lanes > 4 && i % PlacesOf(lanes) == 0)
                {
                    places.AddRange(new uint[lanes]);
                }

                for (var lane = 0; lane < lanes; lane++)
                {
                    // An empty place takes nothing of whatever is there.
                    var input = taken[lane] < 0 ? start : taken[lane];
                    values.Add(taken[lane] < 0 ? 0 : weights[order[lane] * inputs + input]);
                    if (lanes > 4)
                    {
                        places[places.Count - lanes + lane] |= (uint)(input - start) << (i % PlacesOf(lanes) * Bits(lanes));
                    }
                    else
                    {
                        starts.Add(input);
                    }
                }
            }

            ends.Add(values.Count / lanes);
        }

        (_ends, _starts, _places, _values, _bias) = (new(ends), new(starts), new(places), new(values), new(rows.Length));
        for (var i = 0; i < rows.Length; i++)
        {
            _bias.Span[i] = _order.Span[i] < bias.Length ? bias[_order.Span[i]] : 0;
        }
    }

    public int Rows => _order.Length;

    public double Cost => _values.Length / _lanes * (_lanes switch { 16 => 1.05, 8 => 0.65, _ => 0.6 });

    public void Run(float* x, float* y, bool relu)
    {
        switch (_lanes)
        {
            case 16:
                Sixteen(x, y, relu);
                break;
            case 8:
                Eight(x, y, relu);
                break;
            default:
                Four(x, y, relu);
                break;
        }
    }

    /// <summary>Steps of the same window.</summary>
    private static int Together(int lanes) => lanes == 16 ? 2 : 1;

    /// <summary>Steps whose places lie in one vector; each group has a multiple of them.</summary>
    private static int PlacesOf(int lanes) => lanes switch { 16 => 6, 8 => 8, _ => 1 };

    /// <summary>Bits of a place.</summary>
    private static int Bits(int lanes) => lanes == 16 ? 5 : 3;

    private static int[] Inputs(ReadOnlySpan<float> row)
    {
        var inputs = new List<int>();
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] != 0)
            {
                inputs.Add(i);
            }
        }

        return [.. inputs];
    }

    /// <summary>Which inputs each step of a group of rows takes, -1 for none.</summary>
    private static List<(int Start, int[] Taken)> Steps(int[][] rows, int lanes)
    {
        var (window, align) = lanes switch { 16 => (32, 16), 8 => (8, 1), _ => (int.MaxValue, int.MaxValue) };
        var steps = new List<(int, int[])>();
        var next = new int[lanes];
        while (true)
        {
            var start = int.MaxValue;
            for (var lane = 0; lane < lanes; lane++)
            {
                var row = rows[lane];
                start = next[lane] < row.Length ? Math.Min(start, row[next[lane]]) : start;
            }

            if (start == int.MaxValue && steps.Count % PlacesOf(lanes) == 0)
            {
                return steps;
            }

            // Steps that fill up the last places are of any window.
            start = start == int.MaxValue ? 0 : start / align * align;
            for (var step = 0; step < Together(lanes); step++)
            {
                var taken = new int[lanes];
                for (var lane = 0; lane < lanes; lane++)
                {
                    var row = rows[lane];
                    taken[lane] = next[lane] < row.Length && row[next[lane]] - start < window ? row[next[lane]++] : -1;
                }

                steps.Add((start, taken));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sixteen(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var place = _places.Pointer;
        var start = _starts.Pointer;
        var bias = _bias.Pointer;
        int* row = _order.Pointer, end = _ends.Pointer;
        float* first = value, sums = stackalloc float[16];
        var zero = Vector512<float>.Zero;
        for (var group = 0; group < _ends.Length; group++, bias += 16, row += 16)
        {
            var last = first + 16 * (nint)end[group];
            var (a, b, c, d, e, f) = (Vector512.Load(bias), zero, zero, zero, zero, zero);
            for (; value < last; value += 96, place += 16, start += 3)
            {
                var places = Vector512.Load(place).AsInt32();
                var from = x + (nuint)start[0];
                var (low, high) = (Vector512.Load(from), Vector512.Load(from + 16));
                a = Step(low, high, places, value, a);
                b = Step(low, high, places >>> 5, value + 16, b);
                from = x + (nuint)start[1];
                (low, high) = (Vector512.Load(from), Vector512.Load(from + 16));
                c = Step(low, high, places >>> 10, value + 32, c);
                d = Step(low, high, places >>> 15, value + 48, d);
                from = x + (nuint)start[2];
                (low, high) = (Vector512.Load(from), Vector512.Load(from + 16));
                e = Step(low, high, places >>> 20, value + 64, e);
                f = Step(low, high, places >>> 25, value + 80, f);
            }

            a = a + b + (c + d) + (e + f);
            (relu ? Vector512.Max(a, zero) : a).Store(sums);
            for (var lane = 0; lane < 16; lane++)
            {
                y[row[lane]] = sums[lane];
            }
        }
    }

    /// <summary>The permutation reads five bits of each place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Step(Vector512<float> low, Vector512<float> high, Vector512<int> places, float* value, Vector512<float> sum)
        => Vector512.MultiplyAddEstimate(Avx512F.PermuteVar16x32x2(low, places, high), Vector512.Load(value), sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var place = _places.Pointer;
        var start = _starts.Pointer;
        var bias = _bias.Pointer;
        int* row = _order.Pointer, end = _ends.Pointer;
        float* first = value, sums = stackalloc float[8];
        var zero = Vector256<float>.Zero;
        for (var group = 0; group < _ends.Length; group++, bias += 8, row += 8)
        {
            var last = first + 8 * (nint)end[group];
            var (a, b, c, d) = (Vector256.Load(bias), zero, zero, zero);
            for (; value < last; value += 64, place += 8, start += 8)
            {
                var places = Vector256.Load(place).AsInt32();
                a = Step(x + (nuint)start[0], places, value, a);
                b = Step(x + (nuint)start[1], places >>> 3, value + 8, b);
                c = Step(x + (nuint)start[2], places >>> 6, value + 16, c);
                d = Step(x + (nuint)start[3], places >>> 9, value + 24, d);
                a = Step(x + (nuint)start[4], places >>> 12, value + 32, a);
                b = Step(x + (nuint)start[5], places >>> 15, value + 40, b);
                c = Step(x + (nuint)start[6], places >>> 18, value + 48, c);
                d = Step(x + (nuint)start[7], places >>> 21, value + 56, d);
            }

            a = a + b + (c + d);
            (relu ? Vector256.Max(a, zero) : a).Store(sums);
            for (var lane = 0; lane < 8; lane++)
            {
                y[row[lane]] = sums[lane];
            }
        }
    }

    /// <summary>The permutation reads three bits of each place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Step(float* x, Vector256<int> places, float* value, Vector256<float> sum)
        => Vector256.MultiplyAddEstimate(Avx2.PermuteVar8x32(Vector256.Load(x), places), Vector256.Load(value), sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var input = _starts.Pointer;
        var bias = _bias.Pointer;
        int* row = _order.Pointer, end = _ends.Pointer;
        var zero = Vector128<float>.Zero;
        var first = value;
        for (var group = 0; group < _ends.Length; group++, bias += 4, row += 4)
        {
            var last = first + 4 * (nint)end[group];
            var (a, b) = (Vector128.Load(bias), zero);
            for (; value + 4 < last; value += 8, input += 8)
            {
                a = Step(x, input, value, a);
                b = Step(x, input + 4, value + 4, b);
            }

            if (value < last)
            {
                a = Step(x, input, value, a);
                value += 4;
                input += 4;
            }

            a += b;
            a = relu ? Vector128.Max(a, zero) : a;
            for (var lane = 0; lane < 4; lane++)
            {
                y[row[lane]] = a[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Step(float* x, int* input, float* value, Vector128<float> sum) => Vector128.MultiplyAddEstimate(
        Vector128.Create(x[(nuint)input[0]], x[(nuint)input[1]], x[(nuint)input[2]], x[(nuint)input[3]]), Vector128.Load(value), sum);
}
