namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>How a convolution moves over an image.</summary>
internal sealed class ConvolutionShape
{
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

    /// <summary>From the start of the image, or of it taken apart, to what the first tap reads for the first position.</summary>
    public int Start => IsDirect ? _input.Start - _window.Top * _input.Pitch - _window.Left : 0;

    /// <summary>Floats of the image taken apart.</summary>
    public int ApartLength => checked(_input.Channels * _phases.Length * _plane);

    /// <summary>
    /// Bytes that a tap of a channel adds to what a block of positions reads: rows of the window overlap, so that each adds no more than the block is long.
    /// </summary>
    public int BytesOfTap => Math.Max(1, sizeof(float) * Math.Min(_window.Height, 3) * (Math.Min(64, _output.Span) + 16) / _taps.Length);

    /// <summary>From <see cref="Start"/> to where the positions that each tap reads begin: by channel, row and column of the window.</summary>
    public int[] Offsets() => [.. from channel in Enumerable.Range(0, _input.Channels)
                                  from tap in _taps
                                  select IsDirect ? channel * _input.Stride + tap.Row * _input.Pitch + tap.Column
                                      : (channel * _phases.Length + _phases.IndexOf(Phase(tap))) * _plane
                                          + tap.Row / _window.RowStep * _output.Pitch + tap.Column / _window.ColumnStep];

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
