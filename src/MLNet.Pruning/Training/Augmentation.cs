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
        ImageRows.CheckSize(height, width);
        return new(pixels, height, width);
    }

    /// <summary>What changes rows for a network, from a row into the room for it.</summary>
    /// <param name="network">The network that reads them.</param>
    /// <param name="seed">Seed of what is drawn.</param>
    /// <exception cref="ArgumentException">Its rows are not images of that size.</exception>
    internal RowChange Bind(Network network, int seed)
    {
        var (height, width) = ImageRows.Size(network, _height, _width, "Augmentation shifts", "Augmentation.Shift");
        if (_pixels >= Math.Min(height, width))
        {
            throw new ArgumentException($"A shift by up to {_pixels} pixels can move images of {height} x {width} pixels out of sight.");
        }

        var random = new Random(seed);
        return (row, room) => ImageRows.Move(row, room, height, width, random.Next(-_pixels, _pixels + 1), random.Next(-_pixels, _pixels + 1));
    }
}
