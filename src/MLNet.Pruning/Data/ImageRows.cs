namespace MLNet.Pruning.Data;

/// <summary>Rows that hold an image: planes of height x width, one channel after the other.</summary>
internal static class ImageRows
{
    /// <summary>Height and width of the images that a network reads.</summary>
    /// <param name="network">The network.</param>
    /// <param name="height">Rows of pixels, for a network that reads plain vectors; 0 for what the network says.</param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <param name="what">What asks, for messages: "Augmentation shifts".</param>
    /// <param name="where">Where height and width are given.</param>
    /// <exception cref="ArgumentException">Its rows are not images of that size.</exception>
    public static (int Height, int Width) Size(Network network, int height, int width, string what, string where)
    {
        if (network.Inputs is not [var input])
        {
            throw new ArgumentException($"{what} images, but the network reads {network.Inputs.Length} inputs: {string.Join(", ", network.Inputs)}.");
        }

        return Size(input, height, width, $"{what} images", "the network reads", where);
    }

    /// <summary>Height and width of the images in a tensor.</summary>
    /// <param name="tensor">An input or an output, batch first.</param>
    /// <param name="height">Rows of pixels, for plain vectors; 0 for what the tensor says.</param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <param name="what">What asks, for messages.</param>
    /// <param name="has">What the network does with the tensor.</param>
    /// <param name="where">Where height and width are given.</param>
    /// <exception cref="ArgumentException">Its rows are not images of that size.</exception>
    public static (int Height, int Width) Size(TensorInfo tensor, int height, int width, string what, string has, string where)
    {
        if (tensor.Shape is [_, _, var rows, var columns])
        {
            (height, width) = (height == 0 ? rows : height, width == 0 ? columns : width);
            if ((height, width) != (rows, columns))
            {
                throw new ArgumentException($"{what} of {height} x {width} pixels, but {has} {tensor}.");
            }
        }

        var isOpen = height == 0 || width == 0;
        return !isOpen && tensor.RowSize % ((long)height * width) == 0 ? (height, width)
            : throw new ArgumentException($"{what} of {(isOpen ? "a size that it is not given" : $"{height} x {width} pixels")}, but {has} '{tensor.Name}' "
                + $"with rows of {tensor.RowSize} values{(isOpen ? $": name height and width in {where}." : ".")}");
    }

    /// <summary>Checks height and width that are given.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is negative, or an array cannot hold so many pixels.</exception>
    public static void CheckSize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        if ((long)height * width > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(height), height,
                $"An image of {height:N0} x {width:N0} pixels is larger than the {Array.MaxLength:N0} values that an array holds.");
        }
    }

    /// <summary>Moves an image by whole pixels; what comes in is 0.</summary>
    public static void Move(ReadOnlySpan<float> row, Span<float> room, int height, int width, int down, int right)
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
