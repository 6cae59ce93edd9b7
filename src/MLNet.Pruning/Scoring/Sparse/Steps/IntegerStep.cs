using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>
/// A dense layer or a convolution of bytes by small integers: a column of the product is a row of values, or what the window of a convolution reads from one
/// position on. It gives bytes again, or the floats that the sums stand for.
/// </summary>
internal sealed unsafe class IntegerStep : SparseStep
{
    /// <summary>8 KB, for each of the columns that take a step together.</summary>
    private const int MostSums = 512;

    private const int MostPositions = 4;

    /// <summary>Bytes that are written for positions beyond an image's last; a quarter of them is read.</summary>
    private const int MostBeyond = 64;

    private readonly (int Buffer, ByteLayout Layout) _input;
    private readonly ConvolutionWindow? _window;
    private readonly IIntegerProduct _product;
    private readonly int _positions;
    private readonly int _stride;
    private readonly int _columns;
    private readonly int[] _order;
    private readonly Aligned<float> _scales;
    private readonly (int Buffer, ByteLayout Layout, byte Zero)? _bytes;
    private readonly (int Buffer, Planes? Planes)? _floats;
    private readonly int _outputs;
    private readonly int _sums;
    private readonly bool _relu;

    /// <param name="input">Buffer of what it reads, and how that lies there.</param>
    /// <param name="window">The window of a convolution; null for a dense layer.</param>
    /// <param name="product">The product, and how many positions of an image a column of it gives.</param>
    /// <param name="scales">What the sums of each output are multiplied by, in the order of the product.</param>
    /// <param name="order">The output of each place in that order.</param>
    /// <param name="bytes">Where bytes go, and their zero; null where it gives floats.</param>
    /// <param name="floats">Where floats go, and how their images lie there; null where it gives bytes.</param>
    /// <param name="sums">Buffer for the sums, see <see cref="SumsOf"/>.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public IntegerStep((int Buffer, ByteLayout Layout) input, ConvolutionWindow? window, (IIntegerProduct Product, int Positions) product, float[] scales,
        int[] order, (int Buffer, ByteLayout Layout, byte Zero)? bytes, (int Buffer, Planes? Planes)? floats, int sums, bool relu)
    {
        (_input, _window, _bytes, _floats, _sums, _relu, _outputs, _order) = (input, window, bytes, floats, sums, relu, scales.Length, order);
        (_product, _positions) = product;
        (_stride, _columns) = (Padded(_product.Rows), Columns(_product));
        _scales = new(_stride);
        for (var i = 0; i < _positions * _outputs; i++)
        {
            _scales.Span[i] = scales[i % _outputs];
        }
    }

    public override string Kernel => _window is null ? "integer sparse product" : "integer sparse convolution";

    /// <summary>Positions of an image that a column should give, so that few places of its vectors stay empty.</summary>
    /// <param name="outputs">Outputs of a position.</param>
    /// <param name="step">Bytes from what one position reads to what the next reads.</param>
    /// <param name="width">Positions of a row.</param>
    public static int PositionsOf(int outputs, int step, int width)
    {
        // A window of inputs should hold what all of them read first; and what is read and written for positions beyond an image's last stays within what
        // memory has behind it.
        var most = Math.Min(Math.Min(MostPositions, width), 1 + Math.Min(MostBeyond / 4 / step, MostBeyond / outputs));
        return Enumerable.Range(1, Math.Max(1, most)).MinBy(positions
            => (double)((positions * outputs + IntegerProduct.Lanes - 1) / IntegerProduct.Lanes) / positions);
    }

    /// <summary>Numbers that the buffer for the sums of a product holds.</summary>
    public static int SumsOf(IIntegerProduct product) => Padded(product.Rows) * Columns(product);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var x = (byte*)memory[_input.Buffer];
        var from = _input.Layout;
        if (_window is null)
        {
            Line(memory, x, from.Length, memory.Count, 0);
            return;
        }

        x += from.Start - _window.Top * from.Pitch - _window.Left * from.Position;
        var height = _bytes is { } given ? given.Layout.Height : _floats!.Value.Planes!.Height;
        var width = _bytes is { } wide ? wide.Layout.Width : _floats!.Value.Planes!.Width;
        // Positions beyond the last of a row are written again by the next, or are margin.
        var columns = (width + _positions - 1) / _positions;
        for (var y = 0; y < height; y++, x += _window.RowStep * from.Pitch)
        {
            Line(memory, x, _positions * _window.ColumnStep * from.Position, columns, y);
        }

        if (_bytes is { } bytes)
        {
            bytes.Layout.FillMargins((byte*)memory[bytes.Buffer], bytes.Zero);
        }
        else
        {
            _floats!.Value.Planes!.ClearMargins(memory.Span(_floats.Value.Buffer));
        }
    }

    private static int Padded(int outputs) => (outputs + ByteRounding.Block - 1) / ByteRounding.Block * ByteRounding.Block;

    /// <summary>Columns whose sums are at hand at a time: few enough to stay in the nearest cache.</summary>
    private static int Columns(IIntegerProduct product)
        => Math.Clamp(MostSums / Padded(product.Rows), 1, SparseMemory.Panel / product.Together) * product.Together;

    /// <summary>The rows at hand, or a row of an image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line(SparseMemory memory, byte* x, nint step, int count, int y)
    {
        var sums = (int*)memory[_sums];
        var stride = _stride;
        for (var first = 0; first < count; first += _columns)
        {
            var columns = Math.Min(_columns, count - first);
            _product.Run(x + first * step, step, columns, sums, stride);
            if (_bytes is { } bytes)
            {
                // What is written beyond the outputs is written again by the next position, or is margin.
                var apart = _window is null ? bytes.Layout.Length : _positions * bytes.Layout.Position;
                ByteRounding.Scale(sums, stride, _scales.Pointer, _positions * _outputs, columns, bytes.Zero, _relu ? bytes.Zero : (byte)0,
                    (byte*)memory[bytes.Buffer] + bytes.Layout.Start + (nint)y * bytes.Layout.Pitch + (nint)first * apart, apart);
                continue;
            }

            var (buffer, planes) = _floats!.Value;
            var (place, stepOfOutput) = planes is null ? (first, memory.Stride) : (planes.Start + y * planes.Pitch + first, planes.Stride);
            for (var i = 0; i < columns; i++)
            {
                Floats(sums + i * stride, memory[buffer] + place + i, stepOfOutput);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Floats(int* sums, float* to, nint apart)
    {
        for (var i = 0; i < _outputs; i++)
        {
            var value = sums[i] * _scales.Pointer[i];
            to[_order[i] * apart] = _relu && value < 0 ? 0 : value;
        }
    }
}
