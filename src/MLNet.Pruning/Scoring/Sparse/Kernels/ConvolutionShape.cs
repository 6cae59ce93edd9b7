using System.Numerics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>How a convolution moves over an image.</summary>
internal sealed class ConvolutionShape
{
    /// <summary>Positions of the smallest and of the largest block of rows: half of a vector of 512 bits, and eight of them.</summary>
    private const int SmallestBlock = 8, LargestBlock = 128;

    private readonly Planes _input;
    private readonly Planes _output;
    private readonly ConvolutionWindow _window;
    private readonly int _height;
    private readonly int _plane;
    // The images that taps read, where it moves by more than one: row and column of the first position of each.
    private readonly ImmutableArray<(int Row, int Column)> _phases;
    private readonly (int Row, int Column)[] _taps;

    /// <param name="input">The image as it lies in memory.</param>
    /// <param name="output">The result as it lies in memory.</param>
    /// <param name="window">The window.</param>
    public ConvolutionShape(Planes input, Planes output, ConvolutionWindow window)
    {
        (_input, _output, _window) = (input, output, window);
        _taps = [.. from row in Enumerable.Range(0, window.Height)
                    from column in Enumerable.Range(0, window.Width)
                    select (row * window.RowDilation, column * window.ColumnDilation)];
        _phases = [.. _taps.Select(Phase).Distinct().Order()];
        _height = output.Height + (window.Height - 1) * window.RowDilation / window.RowStep;
        _plane = ((_height * output.Pitch + (window.Width - 1) * window.ColumnDilation / window.ColumnStep + 15) / 16 | 1) * 16;
        IsDirect = window is { RowStep: 1, ColumnStep: 1 } && input.Pitch == output.Pitch && window.Top <= input.Margin && window.Left <= input.Margin
            && (window.Height - 1) * window.RowDilation - window.Top + output.Height - input.Height <= input.Margin
            && (window.Width - 1) * window.ColumnDilation - window.Left + output.Width <= input.Pitch;
    }

    /// <summary>Whether the image can be read where it is: steps of one, zeros enough around it, and rows as far apart as those of the result.</summary>
    public bool IsDirect { get; }

    public Planes Output => _output;

    /// <summary>From the start of the image, or of it taken apart, to what <see cref="Offsets"/> are from.</summary>
    public int Start => IsDirect ? _input.Start - _window.Top * _input.Pitch : 0;

    /// <summary>Floats of the image taken apart.</summary>
    public int ApartLength => checked(_input.Channels * _phases.Length * _plane);

    /// <summary>
    /// Bytes that a tap of a channel adds to what a block of positions reads: rows of the window overlap, so that each adds no more than the block is long.
    /// </summary>
    public int BytesOfTap => Math.Max(1, sizeof(float) * Math.Min(_window.Height, 3) * (Math.Min(64, _output.Span) + 16) / _taps.Length);

    /// <summary>The same where sums are moved, in blocks that are as long as can be.</summary>
    public int BytesOfRowTap => Math.Max(1, sizeof(float) * _phases.Length
        * (Math.Min(LargestBlock, _output.Span) + (_window.Height - 1) * _window.RowDilation / _window.RowStep * _output.Pitch) / _taps.Length);

    /// <summary>Whether sums over a column of the window are moved to the column of the result: where it can be, and is worth it.</summary>
    /// <param name="weights">Filters x channels x height x width.</param>
    /// <param name="filters">How many.</param>
    public bool MovesSums(ReadOnlySpan<float> weights, int filters) => CanMoveSums && ConvolutionWork.Of(weights, filters, _window).IsMoved;

    /// <summary>How far apart rows lie so that blocks of whole vectors hold whole rows: a power of two; 0 where there is none near.</summary>
    /// <param name="width">Positions of a row, and the zeros behind them.</param>
    public static int BlockPitch(int width)
    {
        var pitch = Math.Max(SmallestBlock, (int)BitOperations.RoundUpToPowerOf2((uint)width));
        return IsBlock(pitch) ? pitch : 0;
    }

    /// <summary>From <see cref="Start"/> to where the positions that each tap reads begin: by channel, row and column of the window.</summary>
    public int[] Offsets() => [.. RowOffsets().Zip(Moves(), (row, move) => row + move)];

    /// <summary>The same without what <see cref="Moves"/> tells.</summary>
    public int[] RowOffsets() => [.. from channel in Enumerable.Range(0, _input.Channels)
                                     from tap in _taps
                                     select IsDirect ? channel * _input.Stride + tap.Row * _input.Pitch
                                         : (channel * _phases.Length + _phases.IndexOf(Phase(tap))) * _plane + tap.Row / _window.RowStep * _output.Pitch];

    /// <summary>How many positions to the right of a result each tap reads: by channel, row and column of the window.</summary>
    public int[] Moves() => [.. Enumerable.Range(0, _input.Channels).SelectMany(_ => _taps.Select(Move))];

    /// <summary>Lays out the images that taps read, padding included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void TakeApart(float* input, float* apart)
    {
        for (var channel = 0; channel < _input.Channels; channel++)
        {
            var source = input + (nint)channel * _input.Stride + _input.Start;
            foreach (var (firstRow, firstColumn) in _phases)
            {
                var target = apart;
                for (var row = 0; row < _height; row++, target += _output.Pitch)
                {
                    var from = row * _window.RowStep + firstRow - _window.Top;
                    CopyRow(from >= 0 && from < _input.Height ? source + (nint)from * _input.Pitch : null, firstColumn - _window.Left, target);
                }

                apart += _plane;
            }
        }
    }

    /// <summary>
    /// Whether sums over a column of the window can be moved to the column of the result: blocks of any size are whole rows, and what they are moved by is zero
    /// at both ends of a row.
    /// </summary>
    private bool CanMoveSums => IsBlock(_output.Pitch) && (!IsDirect || _input.Pitch - _input.Width >= _window.Left)
        && _taps.All(tap => Math.Abs(Move(tap)) < SmallestBlock);

    private static bool IsBlock(int pitch) => BitOperations.IsPow2(pitch) && pitch is >= SmallestBlock and <= LargestBlock;

    private int Move((int Row, int Column) tap) => IsDirect ? tap.Column - _window.Left : tap.Column / _window.ColumnStep;

    private (int Row, int Column) Phase((int Row, int Column) tap) => (tap.Row % _window.RowStep, tap.Column % _window.ColumnStep);

    /// <summary>The positions of a row a step apart from the first on, zeros before and behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private unsafe void CopyRow(float* source, int first, float* target)
    {
        var (width, step) = (_output.Pitch, _window.ColumnStep);
        if (source is null)
        {
            new Span<float>(target, width).Clear();
            return;
        }

        var column = 0;
        for (; first < 0 && column < width; column++, first += step)
        {
            target[column] = 0;
        }

        var last = Math.Clamp(column + (_input.Width - first + step - 1) / step, column, width);
        if (step == 1)
        {
            new Span<float>(source + first, last - column).CopyTo(new(target + column, last - column));
            column = last;
        }

        for (; column < last; column++, first += step)
        {
            target[column] = source[first];
        }

        new Span<float>(target + column, width - column).Clear();
    }
}
