namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// How the channels of an image lie in memory: one behind another, each with zeros around it, so that a convolution reads its padding like any other place and
/// runs over the positions of a channel as if they were one row. Between two rows there is one gap, the right padding of one and the left of the next.
/// </summary>
/// <param name="Channels">Number of channels.</param>
/// <param name="Height">Rows of a channel.</param>
/// <param name="Width">Positions of a row.</param>
/// <param name="Margin">Zeros above, below and at least between rows.</param>
/// <param name="Pitch">Floats from one row to the next.</param>
internal sealed record Planes(int Channels, int Height, int Width, int Margin, int Pitch)
{
    /// <summary>Floats of the widest vector.</summary>
    private const int Widest = 16;

    /// <summary>From the start of a channel to its first position, which lies at a cache line.</summary>
    public int Start { get; } = Up(Margin * (Pitch + 1), Widest);

    /// <summary>From the first position to behind the last, gaps included.</summary>
    public int Span => (Height - 1) * Pitch + Width;

    /// <summary>
    /// Floats from one channel to the next: an odd number of cache lines, so that channels do not compete for the same lines of the cache. Results are written
    /// two vectors at a time.
    /// </summary>
    public int Stride { get; } = (Up(Up(Margin * (Pitch + 1), Widest) + Math.Max(Up(Height * Pitch, 2 * Widest), (Height + Margin) * Pitch + Margin), Widest)
        / Widest | 1) * Widest;

    /// <summary>Floats of all channels.</summary>
    public int Length => checked(Channels * Stride);

    /// <summary>Whether nothing lies between the positions of a channel.</summary>
    public bool IsCompact => Pitch == Width;

    /// <summary>Makes all that is no position zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void ClearMargins(Span<float> planes)
    {
        if (Margin == 0)
        {
            return;
        }

        // Gaps are a number or two wide: to call for each would take longer than to write it.
        fixed (float* start = planes)
        {
            for (var channel = 0; channel < Channels; channel++)
            {
                var plane = start + (nint)channel * Stride;
                new Span<float>(plane, Start).Clear();
                var gap = plane + Start + Width;
                for (var row = 1; row < Height; row++, gap += Pitch)
                {
                    for (var i = 0; i < Pitch - Width; i++)
                    {
                        gap[i] = 0;
                    }
                }

                new Span<float>(plane + Start + Span, Stride - Start - Span).Clear();
            }
        }
    }

    private static int Up(int floats, int multiple) => (floats + multiple - 1) / multiple * multiple;
}
