using System.Numerics;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>The largest, or the average, of each window: over the rows of a window first, a row of the image at a time, then over its columns.</summary>
internal sealed unsafe class PoolingStep : SparseStep
{
    private readonly int _input;
    private readonly int _output;
    private readonly int _rows;
    private readonly (Planes From, Planes To) _planes;
    private readonly ConvolutionWindow _window;
    private readonly bool _isAverage;
    private readonly bool _countsPadding;

    /// <param name="input">Buffer of what it reads.</param>
    /// <param name="output">Buffer of what it gives.</param>
    /// <param name="rows">Buffer for a row of the image.</param>
    /// <param name="planes">How both lie in memory.</param>
    /// <param name="window">The window, undilated.</param>
    /// <param name="isAverage">Whether it gives averages.</param>
    /// <param name="countsPadding">Whether averages count the padding as zeros.</param>
    public PoolingStep(int input, int output, int rows, (Planes From, Planes To) planes, ConvolutionWindow window, bool isAverage, bool countsPadding)
        => (_input, _output, _rows, _planes, _window, _isAverage, _countsPadding) = (input, output, rows, planes, window, isAverage, countsPadding);

    public override string Kernel => "pooling";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var (from, to) = _planes;
        to.ClearMargins(memory.Span(_output));
        var columns = memory[_rows];
        for (var channel = 0; channel < to.Channels; channel++)
        {
            var source = memory[_input] + (nint)channel * from.Stride + from.Start;
            var target = memory[_output] + (nint)channel * to.Stride + to.Start;
            for (var y = 0; y < to.Height; y++, target += to.Pitch)
            {
                var (top, bottom) = (Math.Max(0, y * _window.RowStep - _window.Top), Math.Min(from.Height, y * _window.RowStep - _window.Top + _window.Height));
                Rows(source + (nint)top * from.Pitch, bottom - top, columns);
                Columns(columns, target, bottom - top);
            }
        }
    }

    /// <summary>Over the rows of a window, for a row's positions and what fills up the last vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rows(float* source, int rows, float* columns)
    {
        var (width, pitch) = (_planes.From.Width, (nint)_planes.From.Pitch);
        for (var x = 0; x < width; x += Vector<float>.Count)
        {
            var value = Vector.Load(source + x);
            var next = source + x;
            for (var left = rows - 1; left > 0; left--)
            {
                next += pitch;
                value = _isAverage ? value + Vector.Load(next) : Vector.Max(value, Vector.Load(next));
            }

            value.Store(columns + x);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Columns(float* values, float* target, int rows)
    {
        var (width, step, left) = (_planes.From.Width, _window.ColumnStep, _window.Left);
        var first = Math.Min(_planes.To.Width, (left + step - 1) / step);
        var last = Math.Clamp((width + left - _window.Width) / step + 1, first, _planes.To.Width);
        for (var x = 0; x < first; x++)
        {
            target[x] = Column(values, x * step - left, rows);
        }

        for (var x = last; x < _planes.To.Width; x++)
        {
            target[x] = Column(values, x * step - left, rows);
        }

        // Where windows lie within the row: one at each position, of which each step's is taken.
        var count = new Vector<float>(_countsPadding ? _window.Height * _window.Width : rows * _window.Width);
        for (var x = first * step - left; x < (last - 1) * step - left + 1; x += Vector<float>.Count)
        {
            var value = Vector.Load(values + x);
            for (var next = 1; next < _window.Width; next++)
            {
                value = _isAverage ? value + Vector.Load(values + x + next) : Vector.Max(value, Vector.Load(values + x + next));
            }

            (_isAverage ? value / count : value).Store(values + x);
        }

        for (var (x, from) = (first, first * step - left); x < last; x++, from += step)
        {
            target[x] = values[from];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Column(float* values, int first, int rows)
    {
        var (left, right) = (Math.Max(0, first), Math.Min(_planes.From.Width, first + _window.Width));
        var value = values[left];
        for (var next = left + 1; next < right; next++)
        {
            value = _isAverage ? value + values[next] : MathF.Max(value, values[next]);
        }

        return _isAverage ? value / (_countsPadding ? _window.Height * _window.Width : rows * (right - left)) : value;
    }
}
