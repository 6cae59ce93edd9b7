using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse convolution of images whose rows lie at cache lines: each column of the window by itself, on vectors at cache lines, whose sums are moved to the
/// column of the result at the end. A vector of 512 bits that lies across two cache lines takes as long to load as two.
/// </summary>
/// <remarks>
/// What is moved in at the ends of a block of positions is zero: blocks are whole rows, and positions between rows are zero, as many as sums are moved by. The
/// non-zeros are cut into tiles whose positions stay in the first-level cache together. Eight, four and two vectors of positions are written out one by one:
/// sums stay in registers only as locals of their own.
/// </remarks>
internal sealed unsafe class MovedProduct
{
    /// <summary>Bytes of a tile's positions: what is left of the smallest first-level cache, 32 kB, beside weights and sums.</summary>
    private const int TileBytes = 24 << 10;

    /// <summary>Weights that a filter has in a tile for each column of the window, at least: each tile has moves of its own.</summary>
    private const int LeastOfTile = 8;

    private readonly int _rows;
    private readonly int _tiles;
    // By how many positions sums are moved, those that are not first.
    private readonly int[] _moves;
    private readonly Aligned<int> _ends;
    private readonly Aligned<nint> _offsets;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;

    /// <param name="weights">The filters, one after another.</param>
    /// <param name="bias">One for each filter.</param>
    /// <param name="offsets">Where the positions that a weight reads start but for its column, in floats.</param>
    /// <param name="moves">How many positions to the right of a result each weight reads, fewer than 16 to either side.</param>
    /// <param name="inputBytes">Bytes that a weight's positions take of a block.</param>
    public MovedProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, ReadOnlySpan<int> offsets, ReadOnlySpan<int> moves, int inputBytes)
    {
        _moves = [.. moves.ToArray().Append(0).Distinct().OrderBy(Math.Abs)];
        _rows = bias.Length;
        var inputs = offsets.Length;
        _tiles = Math.Max(1, Math.Min((int)(((long)inputs * inputBytes + TileBytes - 1) / TileBytes),
            (weights.Length - weights.Count(0)) / (_rows * _moves.Length * LeastOfTile)));
        var tile = (inputs + _tiles - 1) / _tiles;
        var (ends, places, values) = (new List<int>(), new List<nint>(), new List<float>());
        for (var start = 0; start < _tiles * tile; start += tile)
        {
            for (var row = 0; row < _rows; row++)
            {
                foreach (var move in _moves)
                {
                    for (var input = start; input < Math.Min(inputs, start + tile); input++)
                    {
                        if (moves[input] == move && weights[row * inputs + input] is var value && value != 0)
                        {
                            places.Add(offsets[input]);
                            values.Add(value);
                        }
                    }

                    ends.Add(values.Count);
                }
            }
        }

        (_ends, _offsets, _values, _bias) = (new(ends), new(places), new(values), new(bias.ToArray()));
    }

    /// <summary>Computes all filters for some rows of positions.</summary>
    /// <param name="x">Where the positions of the input with offset 0 start.</param>
    /// <param name="y">Where those of the first filter go.</param>
    /// <param name="stride">Floats from one filter's result to the next.</param>
    /// <param name="columns">Positions, of whole rows; as many more are read and written as make 32.</param>
    /// <param name="addend">What is added to each result, laid out as it; null for nothing.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public void Run(float* x, float* y, nint stride, int columns, float* addend, bool relu)
    {
        var column = 0;
        for (; column + 112 < columns; column += 128)
        {
            Eight(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }

        for (; column + 48 < columns; column += 64)
        {
            Four(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }

        for (; column < columns; column += 32)
        {
            Two(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }
    }

    /// <summary>The sums so many places to the right, or to the left where negative; at the end, those of the neighbour on that side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Moved(Vector512<float> sums, Vector512<float> neighbour, Vector512<int> places)
        => Avx512F.PermuteVar16x32x2(sums, places, neighbour);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(float* x, float* y, nint stride, float* addend, bool relu)
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var zero = Vector512<float>.Zero;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, row += stride, bias++)
            {
                Vector512<float> a, b, c, d, e, f, g, h;
                if (tile > 0)
                {
                    a = Vector512.Load(row);
                    b = Vector512.Load(row + 16);
                    c = Vector512.Load(row + 32);
                    d = Vector512.Load(row + 48);
                    e = Vector512.Load(row + 64);
                    f = Vector512.Load(row + 80);
                    g = Vector512.Load(row + 96);
                    h = Vector512.Load(row + 112);
                }
                else
                {
                    a = b = c = d = e = f = g = h = Vector512.Create(*bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a += Vector512.Load(more);
                        b += Vector512.Load(more + 16);
                        c += Vector512.Load(more + 32);
                        d += Vector512.Load(more + 48);
                        e += Vector512.Load(more + 64);
                        f += Vector512.Load(more + 80);
                        g += Vector512.Load(more + 96);
                        h += Vector512.Load(more + 112);
                    }
                }

                var last = start + *end++;
                for (; value < last; value++, offset++)
                {
                    var from = x + *offset;
                    var weight = Vector512.Create(*value);
                    a = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), a);
                    b = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), b);
                    c = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 32), c);
                    d = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 48), d);
                    e = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 64), e);
                    f = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 80), f);
                    g = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 96), g);
                    h = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 112), h);
                }

                for (var move = 1; move < _moves.Length; move++)
                {
                    last = start + *end++;
                    if (value == last)
                    {
                        continue;
                    }

                    Vector512<float> ofA, ofB, ofC, ofD, ofE, ofF, ofG, ofH;
                    ofA = ofB = ofC = ofD = ofE = ofF = ofG = ofH = zero;
                    for (; value < last; value++, offset++)
                    {
                        var from = x + *offset;
                        var weight = Vector512.Create(*value);
                        ofA = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), ofA);
                        ofB = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), ofB);
                        ofC = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 32), ofC);
                        ofD = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 48), ofD);
                        ofE = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 64), ofE);
                        ofF = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 80), ofF);
                        ofG = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 96), ofG);
                        ofH = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 112), ofH);
                    }

                    // Five bits of a place are read: 16 to 31 are those of the neighbour, to the right as well as to the left.
                    var places = Vector512<int>.Indices + Vector512.Create(_moves[move]);
                    if (_moves[move] > 0)
                    {
                        a += Moved(ofA, ofB, places);
                        b += Moved(ofB, ofC, places);
                        c += Moved(ofC, ofD, places);
                        d += Moved(ofD, ofE, places);
                        e += Moved(ofE, ofF, places);
                        f += Moved(ofF, ofG, places);
                        g += Moved(ofG, ofH, places);
                        h += Moved(ofH, zero, places);
                    }
                    else
                    {
                        a += Moved(ofA, zero, places);
                        b += Moved(ofB, ofA, places);
                        c += Moved(ofC, ofB, places);
                        d += Moved(ofD, ofC, places);
                        e += Moved(ofE, ofD, places);
                        f += Moved(ofF, ofE, places);
                        g += Moved(ofG, ofF, places);
                        h += Moved(ofH, ofG, places);
                    }
                }

                if (isLast && relu)
                {
                    a = Vector512.Max(a, zero);
                    b = Vector512.Max(b, zero);
                    c = Vector512.Max(c, zero);
                    d = Vector512.Max(d, zero);
                    e = Vector512.Max(e, zero);
                    f = Vector512.Max(f, zero);
                    g = Vector512.Max(g, zero);
                    h = Vector512.Max(h, zero);
                }

                a.Store(row);
                b.Store(row + 16);
                c.Store(row + 32);
                d.Store(row + 48);
                e.Store(row + 64);
                f.Store(row + 80);
                g.Store(row + 96);
                h.Store(row + 112);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(float* x, float* y, nint stride, float* addend, bool relu)
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var zero = Vector512<float>.Zero;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, row += stride, bias++)
            {
                Vector512<float> a, b, c, d;
                if (tile > 0)
                {
                    a = Vector512.Load(row);
                    b = Vector512.Load(row + 16);
                    c = Vector512.Load(row + 32);
                    d = Vector512.Load(row + 48);
                }
                else
                {
                    a = b = c = d = Vector512.Create(*bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a += Vector512.Load(more);
                        b += Vector512.Load(more + 16);
                        c += Vector512.Load(more + 32);
                        d += Vector512.Load(more + 48);
                    }
                }

                var last = start + *end++;
                for (; value < last; value++, offset++)
                {
                    var from = x + *offset;
                    var weight = Vector512.Create(*value);
                    a = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), a);
                    b = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), b);
                    c = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 32), c);
                    d = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 48), d);
                }

                for (var move = 1; move < _moves.Length; move++)
                {
                    last = start + *end++;
                    if (value == last)
                    {
                        continue;
                    }

                    Vector512<float> ofA, ofB, ofC, ofD;
                    ofA = ofB = ofC = ofD = zero;
                    for (; value < last; value++, offset++)
                    {
                        var from = x + *offset;
                        var weight = Vector512.Create(*value);
                        ofA = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), ofA);
                        ofB = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), ofB);
                        ofC = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 32), ofC);
                        ofD = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 48), ofD);
                    }

                    var places = Vector512<int>.Indices + Vector512.Create(_moves[move]);
                    if (_moves[move] > 0)
                    {
                        a += Moved(ofA, ofB, places);
                        b += Moved(ofB, ofC, places);
                        c += Moved(ofC, ofD, places);
                        d += Moved(ofD, zero, places);
                    }
                    else
                    {
                        a += Moved(ofA, zero, places);
                        b += Moved(ofB, ofA, places);
                        c += Moved(ofC, ofB, places);
                        d += Moved(ofD, ofC, places);
                    }
                }

                if (isLast && relu)
                {
                    a = Vector512.Max(a, zero);
                    b = Vector512.Max(b, zero);
                    c = Vector512.Max(c, zero);
                    d = Vector512.Max(d, zero);
                }

                a.Store(row);
                b.Store(row + 16);
                c.Store(row + 32);
                d.Store(row + 48);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Two(float* x, float* y, nint stride, float* addend, bool relu)
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var zero = Vector512<float>.Zero;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, row += stride, bias++)
            {
                Vector512<float> a, b;
                if (tile > 0)
                {
                    a = Vector512.Load(row);
                    b = Vector512.Load(row + 16);
                }
                else
                {
                    a = b = Vector512.Create(*bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a += Vector512.Load(more);
                        b += Vector512.Load(more + 16);
                    }
                }

                var last = start + *end++;
                for (; value < last; value++, offset++)
                {
                    var from = x + *offset;
                    var weight = Vector512.Create(*value);
                    a = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), a);
                    b = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), b);
                }

                for (var move = 1; move < _moves.Length; move++)
                {
                    last = start + *end++;
                    if (value == last)
                    {
                        continue;
                    }

                    Vector512<float> ofA, ofB;
                    ofA = ofB = zero;
                    for (; value < last; value++, offset++)
                    {
                        var from = x + *offset;
                        var weight = Vector512.Create(*value);
                        ofA = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from), ofA);
                        ofB = Vector512.MultiplyAddEstimate(weight, Vector512.Load(from + 16), ofB);
                    }

                    var places = Vector512<int>.Indices + Vector512.Create(_moves[move]);
                    if (_moves[move] > 0)
                    {
                        a += Moved(ofA, ofB, places);
                        b += Moved(ofB, zero, places);
                    }
                    else
                    {
                        a += Moved(ofA, zero, places);
                        b += Moved(ofB, ofA, places);
                    }
                }

                if (isLast && relu)
                {
                    a = Vector512.Max(a, zero);
                    b = Vector512.Max(b, zero);
                }

                a.Store(row);
                b.Store(row + 16);
            }
        }
    }
}
