using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse matrix times one column: as many rows of the matrix at a time as a vector has numbers. A step takes at most one non-zero of each of these rows
/// out of a window of neighbouring inputs, which a permutation looks up in one or two registers; the window starts at the first input that a row still waits
/// for.
/// </summary>
/// <remarks>
/// Rows with as many non-zeros as each other go together, so that few places of a step stay empty. A step costs its loads: windows start where few of them lie
/// across two cache lines. Without AVX-512 and AVX2 the four inputs of a step are loaded one by one, from wherever they are.
/// </remarks>
internal sealed unsafe class WindowProduct : IVectorProduct
{
    /// <summary>About how much longer a step of two registers takes than one of one, for its second load.</summary>
    private const double TwoRegisters = 1.25;

    private readonly int _lanes;
    private readonly bool _isWide;
    private readonly Aligned<int> _ends;
    private readonly Aligned<int> _starts;
    private readonly Aligned<byte> _places;
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

        int[] order = [.. Enumerable.Range(0, rows.Length).OrderByDescending(row => rows[row].Length)];
        var steps = lanes switch
        {
            16 => Steps(rows, order, lanes, window: 16, align: 4),
            8 => Steps(rows, order, lanes, window: 8, align: 1),
            _ => Steps(rows, order, lanes, window: int.MaxValue, align: int.MaxValue),
        };
        if (lanes == 16 && Steps(rows, order, lanes, window: 32, align: 8) is var wide && wide.Count * TwoRegisters < steps.Count)
        {
            (_isWide, steps) = (true, wide);
        }

        var groups = rows.Length / lanes;
        (_ends, _starts, _places) = (new(groups), new(lanes == 4 ? 4 * steps.Count : steps.Count), new(lanes == 4 ? 0 : lanes * steps.Count));
        (_values, _bias, _order) = (new(lanes * steps.Count), new(rows.Length), new(order));
        for (var i = 0; i < steps.Count; i++)
        {
            var (group, start, taken) = steps[i];
            _ends.Span[group] = i + 1;
            if (lanes > 4)
            {
                _starts.Span[i] = start;
            }

            for (var lane = 0; lane < lanes; lane++)
            {
                var takes = taken[lane] >= 0;
                var input = takes ? taken[lane] : start;
                _values.Span[i * lanes + lane] = takes ? weights[order[group * lanes + lane] * inputs + input] : 0;
                if (lanes > 4)
                {
                    _places.Span[i * lanes + lane] = (byte)(input - start);
                }
                else
                {
                    _starts.Span[4 * i + lane] = input;
                }
            }
        }

        // Groups without a non-zero end where the one before does.
        for (var group = 1; group < groups; group++)
        {
            _ends.Span[group] = Math.Max(_ends.Span[group], _ends.Span[group - 1]);
        }

        for (var i = 0; i < order.Length; i++)
        {
            _bias.Span[i] = order[i] < bias.Length ? bias[order[i]] : 0;
        }
    }

    public int Rows => _order.Length;

    public double Cost => _values.Length / _lanes * (_lanes switch { 16 => _isWide ? 1.3 * TwoRegisters : 1.3, 8 => 0.75, _ => 0.6 });

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

    /// <summary>Which inputs each step takes, -1 for none; a group's steps follow one another.</summary>
    private static List<(int Group, int Start, int[] Taken)> Steps(int[][] rows, int[] order, int lanes, int window, int align)
    {
        var steps = new List<(int, int, int[])>();
        var next = new int[lanes];
        for (var group = 0; group < order.Length / lanes; group++)
        {
            var members = order.AsSpan(group * lanes, lanes);
            Array.Clear(next);
            while (true)
            {
                var start = int.MaxValue;
                for (var lane = 0; lane < lanes; lane++)
                {
                    var row = rows[members[lane]];
                    start = next[lane] < row.Length ? Math.Min(start, row[next[lane]]) : start;
                }

                if (start == int.MaxValue)
                {
                    break;
                }

                start = start / align * align;
                var taken = new int[lanes];
                for (var lane = 0; lane < lanes; lane++)
                {
                    var row = rows[members[lane]];
                    taken[lane] = next[lane] < row.Length && row[next[lane]] - start < window ? row[next[lane]++] : -1;
                }

                steps.Add((group, start, taken));
            }
        }

        return steps;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sixteen(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var bias = _bias.Pointer;
        var row = _order.Pointer;
        int* first = start, end = _ends.Pointer;
        var zero = Vector512<float>.Zero;
        for (var group = 0; group < _ends.Length; group++, bias += 16, row += 16)
        {
            var last = first + end[group];
            var (a, b, c, d) = (Vector512.Load(bias), zero, zero, zero);
            if (_isWide)
            {
                for (; start + 3 < last; start += 4, place += 64, value += 64)
                {
                    a = Wide(x + (nuint)start[0], place, value, a);
                    b = Wide(x + (nuint)start[1], place + 16, value + 16, b);
                    c = Wide(x + (nuint)start[2], place + 32, value + 32, c);
                    d = Wide(x + (nuint)start[3], place + 48, value + 48, d);
                }

                for (; start < last; start++, place += 16, value += 16)
                {
                    a = Wide(x + (nuint)start[0], place, value, a);
                }
            }
            else
            {
                for (; start + 3 < last; start += 4, place += 64, value += 64)
                {
                    a = Step(x + (nuint)start[0], place, value, a);
                    b = Step(x + (nuint)start[1], place + 16, value + 16, b);
                    c = Step(x + (nuint)start[2], place + 32, value + 32, c);
                    d = Step(x + (nuint)start[3], place + 48, value + 48, d);
                }

                for (; start < last; start++, place += 16, value += 16)
                {
                    a = Step(x + (nuint)start[0], place, value, a);
                }
            }

            a = a + b + (c + d);
            a = relu ? Vector512.Max(a, zero) : a;
            for (var lane = 0; lane < 16; lane++)
            {
                y[row[lane]] = a[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Step(float* x, byte* place, float* value, Vector512<float> sum) => Vector512.MultiplyAddEstimate(
        Avx512F.PermuteVar16x32(Vector512.Load(x), Avx512F.ConvertToVector512Int32(Vector128.Load(place))), Vector512.Load(value), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Wide(float* x, byte* place, float* value, Vector512<float> sum) => Vector512.MultiplyAddEstimate(
        Avx512F.PermuteVar16x32x2(Vector512.Load(x), Avx512F.ConvertToVector512Int32(Vector128.Load(place)), Vector512.Load(x + 16)),
        Vector512.Load(value), sum);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(float* x, float* y, bool relu)
    {
        var value = _values.Pointer;
        var start = _starts.Pointer;
        var place = _places.Pointer;
        var bias = _bias.Pointer;
        var row = _order.Pointer;
        int* first = start, end = _ends.Pointer;
        var zero = Vector256<float>.Zero;
        for (var group = 0; group < _ends.Length; group++, bias += 8, row += 8)
        {
            var last = first + end[group];
            var (a, b, c, d) = (Vector256.Load(bias), zero, zero, zero);
            for (; start + 3 < last; start += 4, place += 32, value += 32)
            {
                a = Step(x + (nuint)start[0], place, value, a);
                b = Step(x + (nuint)start[1], place + 8, value + 8, b);
                c = Step(x + (nuint)start[2], place + 16, value + 16, c);
                d = Step(x + (nuint)start[3], place + 24, value + 24, d);
            }

            for (; start < last; start++, place += 8, value += 8)
            {
                a = Step(x + (nuint)start[0], place, value, a);
            }

            a = a + b + (c + d);
            a = relu ? Vector256.Max(a, zero) : a;
            for (var lane = 0; lane < 8; lane++)
            {
                y[row[lane]] = a[lane];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Step(float* x, byte* place, float* value, Vector256<float> sum) => Vector256.MultiplyAddEstimate(
        Avx2.PermuteVar8x32(Vector256.Load(x), Avx2.ConvertToVector256Int32(place)), Vector256.Load(value), sum);

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
