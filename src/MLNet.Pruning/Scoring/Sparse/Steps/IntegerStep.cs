using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>
/// A dense layer or a convolution of bytes by small integers: a column of the product is a row of values, or what the window of a convolution reads from one
/// position on. It gives bytes again, or the floats that the sums stand for.
/// </summary>
internal sealed unsafe class IntegerStep : SparseStep
{
    private readonly (int Buffer, ByteLayout Layout) _input;
    private readonly ConvolutionWindow? _window;
    private readonly IntegerProduct _product;
    private readonly Aligned<float> _scales;
    private readonly (int Buffer, ByteLayout Layout, byte Zero)? _bytes;
    private readonly (int Buffer, Planes? Planes)? _floats;
    private readonly int _outputs;
    private readonly int _sums;
    private readonly bool _relu;

    /// <param name="input">Buffer of what it reads, and how that lies there.</param>
    /// <param name="window">The window of a convolution; null for a dense layer.</param>
    /// <param name="product">The product, of as many inputs as the layer, or the window, reads.</param>
    /// <param name="scales">What the sums of each output are multiplied by.</param>
    /// <param name="bytes">Where bytes go, and their zero; null where it gives floats.</param>
    /// <param name="floats">Where floats go, and how their images lie there; null where it gives bytes.</param>
    /// <param name="sums">Buffer for the sums, see <see cref="SumsOf"/>.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public IntegerStep((int Buffer, ByteLayout Layout) input, ConvolutionWindow? window, IntegerProduct product, float[] scales,
        (int Buffer, ByteLayout Layout, byte Zero)? bytes, (int Buffer, Planes? Planes)? floats, int sums, bool relu)
    {
        (_input, _window, _product, _bytes, _floats, _sums, _relu, _outputs) = (input, window, product, bytes, floats, sums, relu, scales.Length);
        _scales = new(Padded(product.Rows));
        for (var i = 0; i < product.Rows; i++)
        {
            _scales.Span[i] = product.Order[i] < scales.Length ? scales[product.Order[i]] : 0;
        }
    }

    public override string Kernel => _window is null ? "integer sparse product" : "integer sparse convolution";

    /// <summary>Numbers that the buffer for the sums of a product holds.</summary>
    public static int SumsOf(IntegerProduct product) => IntegerProduct.Together * Padded(product.Rows);

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
        for (var y = 0; y < height; y++, x += _window.RowStep * from.Pitch)
        {
            Line(memory, x, _window.ColumnStep * from.Position, width, y);
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

    private static int Padded(int outputs) => (outputs + 63) / 64 * 64;

    /// <summary>The rows at hand, or a row of an image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line(SparseMemory memory, byte* x, nint step, int count, int y)
    {
        var sums = (int*)memory[_sums];
        var stride = Padded(_product.Rows);
        for (var first = 0; first < count; first += IntegerProduct.Together)
        {
            var columns = Math.Min(IntegerProduct.Together, count - first);
            _product.Run(x + first * step, step, columns, sums, stride);
            for (var i = 0; i < columns; i++)
            {
                if (_bytes is { } bytes)
                {
                    // What is written beyond the outputs is written again by the next position, or is margin.
                    var place = _window is null ? (nint)(first + i) * bytes.Layout.Length
                        : bytes.Layout.Start + y * bytes.Layout.Pitch + (first + i) * bytes.Layout.Position;
                    ByteRounding.Scale(sums + i * stride, _scales.Pointer, _outputs, bytes.Zero, _relu ? bytes.Zero : (byte)0,
                        (byte*)memory[bytes.Buffer] + place);
                }
                else
                {
                    var (buffer, planes) = _floats!.Value;
                    var (place, apart) = planes is null ? (first + i, memory.Stride) : (planes.Start + y * planes.Pitch + first + i, planes.Stride);
                    Floats(sums + i * stride, memory[buffer] + place, apart);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Floats(int* sums, float* to, nint apart)
    {
        for (var i = 0; i < _outputs; i++)
        {
            var value = sums[i] * _scales.Pointer[i];
            to[_product.Order[i] * apart] = _relu && value < 0 ? 0 : value;
        }
    }
}
