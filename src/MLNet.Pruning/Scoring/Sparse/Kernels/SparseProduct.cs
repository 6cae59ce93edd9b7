using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// A sparse matrix times many columns at a time: y[row] = bias[row] + the sum of weight x the columns at the weight's offset. Columns are the rows of a batch,
/// one beside another, or the positions of a convolution. The non-zeros are cut into tiles whose columns stay in the first-level cache together.
/// </summary>
/// <remarks>
/// A vector of columns is loaded for each non-zero and accumulated in a register. So it runs at the speed of loads from the first-level cache; sums of a row
/// whose weights lie in several tiles are loaded and stored once a tile. Eight, four, two and one vectors of columns are written out one by one: sums stay in
/// registers only as locals of their own.
/// </remarks>
internal sealed unsafe class SparseProduct
{
    /// <summary>Bytes of a tile's columns: what is left of the smallest first-level cache, 32 kB, beside weights and sums.</summary>
    private const int TileBytes = 28 << 10;

    private readonly int _rows;
    private readonly int _tiles;
    private readonly Aligned<int> _ends;
    private readonly Aligned<nint> _offsets;
    private readonly Aligned<float> _values;
    private readonly Aligned<float> _bias;

    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    /// <param name="offsets">Where the columns of an input start, in floats.</param>
    /// <param name="inputBytes">Bytes that a block of columns takes of an input.</param>
    public SparseProduct(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, ReadOnlySpan<int> offsets, int inputBytes)
    {
        _rows = bias.Length;
        var inputs = offsets.Length;
        var tile = Math.Max(1, TileBytes / inputBytes);
        _tiles = Math.Max(1, (inputs + tile - 1) / tile);
        // Of one size, where the last would be left with little.
        tile = (inputs + _tiles - 1) / _tiles;
        var (ends, places, values) = (new List<int>(), new List<nint>(), new List<float>());
        for (var (i, start) = (0, 0); i < _tiles; i++, start += tile)
        {
            for (var row = 0; row < _rows; row++)
            {
                for (var input = start; input < Math.Min(inputs, start + tile); input++)
                {
                    if (weights[row * inputs + input] is var value && value != 0)
                    {
                        places.Add(offsets[input]);
                        values.Add(value);
                    }
                }

                ends.Add(values.Count);
            }
        }

        (_ends, _offsets, _values, _bias) = (new(ends), new(places), new(values), new(bias.ToArray()));
    }

    public int NonZeros => _values.Length;

    /// <summary>Computes all rows for a range of columns.</summary>
    /// <param name="x">Where the columns of the input with offset 0 start.</param>
    /// <param name="y">Where those of the first row go.</param>
    /// <param name="stride">Floats from one row of the result to the next.</param>
    /// <param name="columns">Columns; as many more are read and written as make 16.</param>
    /// <param name="addend">What is added to each row, laid out as the result; null for nothing.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public void Run(float* x, float* y, nint stride, int columns, float* addend, bool relu)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Run<Lanes512, Vector512<float>>(x, y, stride, columns, addend, relu);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Run<Lanes256, Vector256<float>>(x, y, stride, columns, addend, relu);
        }
        else
        {
            Run<Lanes128, Vector128<float>>(x, y, stride, columns, addend, relu);
        }
    }

    /// <summary>The same with vectors of a width.</summary>
    public void Run<TLanes, TVector>(float* x, float* y, nint stride, int columns, float* addend, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        // Results end with 16 numbers: narrower vectors may compute one more of them, which costs less than to go through the weights again.
        var spare = TLanes.Count < 16 ? 1 : 0;
        var column = 0;
        for (; column + (7 - spare) * TLanes.Count < columns; column += 8 * TLanes.Count)
        {
            Eight<TLanes, TVector>(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }

        for (; column + (3 - spare) * TLanes.Count < columns; column += 4 * TLanes.Count)
        {
            Four<TLanes, TVector>(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }

        for (; column + TLanes.Count < columns; column += 2 * TLanes.Count)
        {
            Two<TLanes, TVector>(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }

        for (; column < columns; column += TLanes.Count)
        {
            One<TLanes, TVector>(x + column, y + column, stride, addend is null ? null : addend + column, relu);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight<TLanes, TVector>(float* x, float* y, nint stride, float* addend, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var lanes = TLanes.Count;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, end++, row += stride, bias++)
            {
                var last = start + *end;
                TVector a, b, c, d, e, f, g, h;
                if (tile > 0)
                {
                    if (value == last && !(isLast && relu))
                    {
                        continue;
                    }

                    (a, b, c, d) = (TLanes.Load(row), TLanes.Load(row + lanes), TLanes.Load(row + 2 * lanes), TLanes.Load(row + 3 * lanes));
                    (e, f, g, h) = (TLanes.Load(row + 4 * lanes), TLanes.Load(row + 5 * lanes), TLanes.Load(row + 6 * lanes), TLanes.Load(row + 7 * lanes));
                }
                else
                {
                    a = b = c = d = e = f = g = h = TLanes.Broadcast(bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        (a, b) = (TLanes.Add(a, TLanes.Load(more)), TLanes.Add(b, TLanes.Load(more + lanes)));
                        (c, d) = (TLanes.Add(c, TLanes.Load(more + 2 * lanes)), TLanes.Add(d, TLanes.Load(more + 3 * lanes)));
                        (e, f) = (TLanes.Add(e, TLanes.Load(more + 4 * lanes)), TLanes.Add(f, TLanes.Load(more + 5 * lanes)));
                        (g, h) = (TLanes.Add(g, TLanes.Load(more + 6 * lanes)), TLanes.Add(h, TLanes.Load(more + 7 * lanes)));
                    }
                }

                for (; value < last; value++, offset++)
                {
                    var from = x + *offset;
                    var weight = TLanes.Broadcast(value);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    b = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b);
                    c = TLanes.MultiplyAdd(weight, TLanes.Load(from + 2 * lanes), c);
                    d = TLanes.MultiplyAdd(weight, TLanes.Load(from + 3 * lanes), d);
                    e = TLanes.MultiplyAdd(weight, TLanes.Load(from + 4 * lanes), e);
                    f = TLanes.MultiplyAdd(weight, TLanes.Load(from + 5 * lanes), f);
                    g = TLanes.MultiplyAdd(weight, TLanes.Load(from + 6 * lanes), g);
                    h = TLanes.MultiplyAdd(weight, TLanes.Load(from + 7 * lanes), h);
                }

                if (isLast && relu)
                {
                    var zero = TLanes.Zero;
                    (a, b, c, d) = (TLanes.Max(a, zero), TLanes.Max(b, zero), TLanes.Max(c, zero), TLanes.Max(d, zero));
                    (e, f, g, h) = (TLanes.Max(e, zero), TLanes.Max(f, zero), TLanes.Max(g, zero), TLanes.Max(h, zero));
                }

                TLanes.Store(a, row);
                TLanes.Store(b, row + lanes);
                TLanes.Store(c, row + 2 * lanes);
                TLanes.Store(d, row + 3 * lanes);
                TLanes.Store(e, row + 4 * lanes);
                TLanes.Store(f, row + 5 * lanes);
                TLanes.Store(g, row + 6 * lanes);
                TLanes.Store(h, row + 7 * lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four<TLanes, TVector>(float* x, float* y, nint stride, float* addend, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var lanes = TLanes.Count;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, end++, row += stride, bias++)
            {
                var last = start + *end;
                TVector a, b, c, d, a2, b2, c2, d2;
                if (tile > 0)
                {
                    if (value == last && !(isLast && relu))
                    {
                        continue;
                    }

                    a = TLanes.Load(row);
                    b = TLanes.Load(row + lanes);
                    c = TLanes.Load(row + 2 * lanes);
                    d = TLanes.Load(row + 3 * lanes);
                }
                else
                {
                    a = b = c = d = TLanes.Broadcast(bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a = TLanes.Add(a, TLanes.Load(more));
                        b = TLanes.Add(b, TLanes.Load(more + lanes));
                        c = TLanes.Add(c, TLanes.Load(more + 2 * lanes));
                        d = TLanes.Add(d, TLanes.Load(more + 3 * lanes));
                    }
                }

                a2 = b2 = c2 = d2 = TLanes.Zero;
                for (; value + 1 < last; value += 2, offset += 2)
                {
                    var from = x + *offset;
                    var weight = TLanes.Broadcast(value);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    b = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b);
                    c = TLanes.MultiplyAdd(weight, TLanes.Load(from + 2 * lanes), c);
                    d = TLanes.MultiplyAdd(weight, TLanes.Load(from + 3 * lanes), d);
                    from = x + offset[1];
                    weight = TLanes.Broadcast(value + 1);
                    a2 = TLanes.MultiplyAdd(weight, TLanes.Load(from), a2);
                    b2 = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b2);
                    c2 = TLanes.MultiplyAdd(weight, TLanes.Load(from + 2 * lanes), c2);
                    d2 = TLanes.MultiplyAdd(weight, TLanes.Load(from + 3 * lanes), d2);
                }

                if (value < last)
                {
                    var from = x + *offset++;
                    var weight = TLanes.Broadcast(value++);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    b = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b);
                    c = TLanes.MultiplyAdd(weight, TLanes.Load(from + 2 * lanes), c);
                    d = TLanes.MultiplyAdd(weight, TLanes.Load(from + 3 * lanes), d);
                }

                a = TLanes.Add(a, a2);
                b = TLanes.Add(b, b2);
                c = TLanes.Add(c, c2);
                d = TLanes.Add(d, d2);
                if (isLast && relu)
                {
                    a = TLanes.Max(a, TLanes.Zero);
                    b = TLanes.Max(b, TLanes.Zero);
                    c = TLanes.Max(c, TLanes.Zero);
                    d = TLanes.Max(d, TLanes.Zero);
                }

                TLanes.Store(a, row);
                TLanes.Store(b, row + lanes);
                TLanes.Store(c, row + 2 * lanes);
                TLanes.Store(d, row + 3 * lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Two<TLanes, TVector>(float* x, float* y, nint stride, float* addend, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        var lanes = TLanes.Count;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, end++, row += stride, bias++)
            {
                var last = start + *end;
                TVector a, b, a2, b2;
                if (tile > 0)
                {
                    if (value == last && !(isLast && relu))
                    {
                        continue;
                    }

                    a = TLanes.Load(row);
                    b = TLanes.Load(row + lanes);
                }
                else
                {
                    a = b = TLanes.Broadcast(bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a = TLanes.Add(a, TLanes.Load(more));
                        b = TLanes.Add(b, TLanes.Load(more + lanes));
                    }
                }

                a2 = b2 = TLanes.Zero;
                for (; value + 1 < last; value += 2, offset += 2)
                {
                    var from = x + *offset;
                    var weight = TLanes.Broadcast(value);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    b = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b);
                    from = x + offset[1];
                    weight = TLanes.Broadcast(value + 1);
                    a2 = TLanes.MultiplyAdd(weight, TLanes.Load(from), a2);
                    b2 = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b2);
                }

                if (value < last)
                {
                    var from = x + *offset++;
                    var weight = TLanes.Broadcast(value++);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    b = TLanes.MultiplyAdd(weight, TLanes.Load(from + lanes), b);
                }

                a = TLanes.Add(a, a2);
                b = TLanes.Add(b, b2);
                if (isLast && relu)
                {
                    a = TLanes.Max(a, TLanes.Zero);
                    b = TLanes.Max(b, TLanes.Zero);
                }

                TLanes.Store(a, row);
                TLanes.Store(b, row + lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One<TLanes, TVector>(float* x, float* y, nint stride, float* addend, bool relu)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        float* value = _values.Pointer, start = value;
        var offset = _offsets.Pointer;
        var end = _ends.Pointer;
        for (var tile = 0; tile < _tiles; tile++)
        {
            var isLast = tile == _tiles - 1;
            var row = y;
            var bias = _bias.Pointer;
            for (var i = 0; i < _rows; i++, end++, row += stride, bias++)
            {
                var last = start + *end;
                TVector a, a2;
                if (tile > 0)
                {
                    if (value == last && !(isLast && relu))
                    {
                        continue;
                    }

                    a = TLanes.Load(row);
                }
                else
                {
                    a = TLanes.Broadcast(bias);
                    if (addend is not null)
                    {
                        var more = addend + i * stride;
                        a = TLanes.Add(a, TLanes.Load(more));
                    }
                }

                a2 = TLanes.Zero;
                for (; value + 1 < last; value += 2, offset += 2)
                {
                    var from = x + *offset;
                    var weight = TLanes.Broadcast(value);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                    from = x + offset[1];
                    weight = TLanes.Broadcast(value + 1);
                    a2 = TLanes.MultiplyAdd(weight, TLanes.Load(from), a2);
                }

                if (value < last)
                {
                    var from = x + *offset++;
                    var weight = TLanes.Broadcast(value++);
                    a = TLanes.MultiplyAdd(weight, TLanes.Load(from), a);
                }

                a = TLanes.Add(a, a2);
                if (isLast && relu)
                {
                    a = TLanes.Max(a, TLanes.Zero);
                }

                TLanes.Store(a, row);
            }
        }
    }
}
