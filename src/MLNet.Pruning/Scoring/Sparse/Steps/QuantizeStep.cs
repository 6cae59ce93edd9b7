using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>Rounds floats to bytes: rows to rows, the channels of an image to positions with all channels side by side.</summary>
internal sealed unsafe class QuantizeStep : SparseStep
{
    private readonly int? _input;
    private readonly Planes? _planes;
    private readonly int _output;
    private readonly int _values;
    private readonly int _width;
    private readonly ByteLayout _layout;
    private readonly ByteGrid _grid;

    /// <param name="input">Buffer of what it reads; null for the rows to score.</param>
    /// <param name="planes">How images lie in it; null for rows.</param>
    /// <param name="output">Buffer of what it gives.</param>
    /// <param name="values">Buffer for the floats of a row or an image.</param>
    /// <param name="width">Values of a row or an image.</param>
    /// <param name="layout">How the bytes lie.</param>
    /// <param name="grid">What they stand for.</param>
    public QuantizeStep(int? input, Planes? planes, int output, int values, int width, ByteLayout layout, ByteGrid grid)
        => (_input, _planes, _output, _values, _width, _layout, _grid) = (input, planes, output, values, width, layout, grid);

    public override string Kernel => "rounding";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var target = (byte*)memory[_output];
        if (!_layout.IsImage)
        {
            for (var i = 0; i < memory.Count; i++)
            {
                ByteRounding.Round(Row(memory, i), _width, _grid, target + (nint)i * _layout.Length);
            }

            return;
        }

        var values = _input is null ? memory.Rows + (nint)row * _width : memory[_values];
        if (_input is { } input)
        {
            PlaneCopy.Gather(memory.Span(input), _planes!, memory.Span(_values), 1);
        }

        var bytes = (byte*)memory[_values];
        ByteRounding.Round(values, _width, _grid, bytes);
        // Channels are in their own order: nothing made them that has another.
        for (var y = 0; y < _layout.Height; y++)
        {
            ByteTransposition.Run(bytes + y * _layout.Width, _layout.Position, _layout.Width, _layout.Height * _layout.Width,
                target + _layout.Start + y * _layout.Pitch, _layout.Position);
        }

        _layout.FillMargins(target, _grid.Zero);
    }

    /// <summary>The values of a row side by side.</summary>
    private float* Row(SparseMemory memory, int row)
    {
        if (_input is not { } input)
        {
            return memory.Rows + (nint)row * _width;
        }

        if (memory.Stride == 1)
        {
            return memory[input];
        }

        var source = memory[input] + row;
        var values = memory[_values];
        for (var i = 0; i < _width; i++)
        {
            values[i] = source[(nint)i * memory.Stride];
        }

        return values;
    }
}

/// <summary>The floats that bytes stand for.</summary>
/// <param name="input">Buffer of what it reads.</param>
/// <param name="layout">How the bytes lie.</param>
/// <param name="grid">What they stand for.</param>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="planes">How images lie in it; null for rows.</param>
internal sealed unsafe class DequantizeStep(int input, ByteLayout layout, ByteGrid grid, int output, Planes? planes) : SparseStep
{
    public override string Kernel => "rounding";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var bytes = (byte*)memory[input];
        if (planes is null)
        {
            for (var i = 0; i < memory.Count; i++, bytes += layout.Length)
            {
                var to = memory[output] + i;
                for (var value = 0; value < layout.Places.Length; value++, to += memory.Stride)
                {
                    *to = (bytes[layout.Places[value]] - grid.Zero) * grid.Scale;
                }
            }

            return;
        }

        // Row by row, so that a row's positions stay in the nearest cache for all channels.
        for (var y = 0; y < layout.Height; y++)
        {
            for (var channel = 0; channel < layout.Position; channel++)
            {
                var from = bytes + layout.Start + y * layout.Pitch + layout.Places[channel];
                var to = memory[output] + (nint)channel * planes.Stride + planes.Start + y * planes.Pitch;
                for (var x = 0; x < layout.Width; x++, from += layout.Position)
                {
                    to[x] = (*from - grid.Zero) * grid.Scale;
                }
            }
        }

        planes.ClearMargins(memory.Span(output));
    }
}
