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
    /// <summary>Floats of the widest vector: results are written in as many at a time.</summary>
    private const int Widest = 16;

    /// <summary>From the start of a channel to its first position.</summary>
    public int Start => Margin * (Pitch + 1);

    /// <summary>From the first position to behind the last, gaps included.</summary>
    public int Span => (Height - 1) * Pitch + Width;

    /// <summary>Floats from one channel to the next: an odd number of cache lines, so that channels do not compete for the same lines of the cache.</summary>
    public int Stride { get; } = Odd(Math.Max(Margin * (Pitch + 1) + ((Height - 1) * Pitch + Width + Widest - 1) / Widest * Widest,
        (Height + 2 * Margin) * Pitch + Margin));

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

    private static int Odd(int floats) => ((floats + Widest - 1) / Widest | 1) * Widest;
}
