using MLNet.Pruning.Data;

namespace MLNet.Pruning;

/// <summary>
/// Changes that training makes to every row each time it sees it, so that there are more different ones. Rows to measure on stay as they are.
/// </summary>
public sealed class Augmentation
{
    private readonly int _pixels;
    private readonly int _height;
    private readonly int _width;

    private Augmentation(int pixels, int height, int width) => (_pixels, _height, _width) = (pixels, height, width);

    /// <summary>All that makes it: what <see cref="Shift"/> was given.</summary>
    /// <inheritdoc/>
    public override string ToString() => Notation.Call(nameof(Shift), _pixels, _height, _width);

    /// <summary>
    /// Jitter: moves an image by whole pixels, drawn uniformly from -pixels to pixels for each direction; what comes in is 0.
    /// </summary>
    /// <param name="pixels">At least 1, and less than the image is high and wide.</param>
    /// <param name="height">
    /// Rows of pixels, for a network that reads images as plain vectors [channels x height x width]; 0 for one that reads [channels, height, width].
    /// </param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Augmentation Shift(int pixels, int height = 0, int width = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pixels, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        if ((long)height * width > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(height), height,
                $"An image of {height:N0} x {width:N0} pixels is larger than the {Array.MaxLength:N0} values that an array holds.");
        }
        return new(pixels, height, width);
    }

    /// <summary>What changes rows for a network, from a row into the room for it.</summary>
    /// <param name="network">The network that reads them.</param>
    /// <param name="seed">Seed of what is drawn.</param>
    /// <exception cref="ArgumentException">Its rows are not images of that size.</exception>
    internal RowChange Bind(Network network, int seed)
    {
        if (network.Inputs is not [var input])
        {
            throw new ArgumentException($"Augmentation shifts images, but the network reads {network.Inputs.Length} inputs: "
                + $"{string.Join(", ", network.Inputs)}.");
        }

        var (height, width) = (_height, _width);
        if (input.Shape is [_, _, var rows, var columns])
        {
            (height, width) = (height == 0 ? rows : height, width == 0 ? columns : width);
            if ((height, width) != (rows, columns))
            {
                throw new ArgumentException($"Augmentation shifts images of {height} x {width} pixels, but the network reads {input}.");
            }
        }

        if (height == 0 || width == 0 || input.RowSize % (height * width) != 0)
        {
            throw new ArgumentException("Augmentation shifts images of "
                + $"{(height == 0 || width == 0 ? "a size that it is not given" : $"{height} x {width} pixels")}, but the network reads '{input.Name}' with "
                    + $"rows of {input.RowSize} values"
                + (height == 0 || width == 0 ? ": name height and width in Augmentation.Shift." : "."));
        }

        if (_pixels >= Math.Min(height, width))
        {
            throw new ArgumentException($"A shift by up to {_pixels} pixels can move images of {height} x {width} pixels out of sight.");
        }

        var random = new Random(seed);
        return (row, room) => Move(row, room, height, width, random.Next(-_pixels, _pixels + 1), random.Next(-_pixels, _pixels + 1));
    }

    private static void Move(ReadOnlySpan<float> row, Span<float> room, int height, int width, int down, int right)
    {
        room.Clear();
        var (from, to) = (Math.Max(0, -right), Math.Max(0, right));
        var count = width - Math.Abs(right);
        for (var line = 0; line < row.Length / width; line++)
        {
            // Lines of all channels in turn; one that would come from another channel stays 0.
            var source = line % height - down;
            if (source >= 0 && source < height)
            {
                row.Slice((line - down) * width + from, count).CopyTo(room.Slice(line * width + to, count));
            }
        }
    }
}
