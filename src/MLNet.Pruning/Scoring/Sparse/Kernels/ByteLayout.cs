namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>
/// How rows or images of bytes lie in memory: all channels of a position side by side, the positions of a row one behind another, with a margin around the
/// image that holds what stands for zero, so that a convolution reads its padding like any other place. Channels lie in the order that what made them wrote
/// them in.
/// </summary>
/// <param name="IsImage">Whether one image lies there at a time, not all rows of a batch.</param>
/// <param name="Height">Rows of an image; 1 for a row of values.</param>
/// <param name="Width">Positions of a row; 1 for a row of values.</param>
/// <param name="Margin">Positions around the image.</param>
/// <param name="Places">Where each channel, or value, lies within a position; those of all values where an image is read as one row.</param>
internal sealed record ByteLayout(bool IsImage, int Height, int Width, int Margin, ImmutableArray<int> Places)
{
    /// <summary>Rows and images start at whole cache lines.</summary>
    private const int Line = 64;

    /// <summary>Bytes of a position.</summary>
    public int Position => Places.Length;

    /// <summary>Bytes from one row to the next.</summary>
    public int Pitch => (Width + 2 * Margin) * Position;

    /// <summary>From the start to the first position.</summary>
    public int Start => Margin * (Pitch + Position);

    /// <summary>Bytes from one image, or row of values, to the next.</summary>
    public int Length => checked(((Height + 2 * Margin) * Pitch + Line - 1) / Line * Line);

    /// <summary>A row of values in their own order.</summary>
    public static ByteLayout Row(int values) => new(false, 1, 1, 0, [.. Enumerable.Range(0, values)]);

    /// <summary>The values of an image without a margin, channel by channel, as one row.</summary>
    public ByteLayout Flat()
        => new(false, 1, 1, 0, [.. Places.SelectMany(place => Enumerable.Range(0, Height * Width).Select(position => position * Position + place))]);

    /// <summary>Fills all that is no position.</summary>
    /// <param name="image">Start of the image.</param>
    /// <param name="zero">What stands for zero.</param>
    public unsafe void FillMargins(byte* image, byte zero)
    {
        if (Margin == 0)
        {
            return;
        }

        var (inner, outer) = (Width * Position, 2 * Margin * Position);
        new Span<byte>(image, Start).Fill(zero);
        var gap = image + Start + inner;
        for (var row = 1; row < Height; row++, gap += Pitch)
        {
            new Span<byte>(gap, outer).Fill(zero);
        }

        new Span<byte>(gap, Length - (int)(gap - image)).Fill(zero);
    }
}
