namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>The window of a convolution or pooling over two dimensions.</summary>
/// <param name="Height">Its rows.</param>
/// <param name="Width">Its columns.</param>
/// <param name="RowStep">Rows that it moves at a time.</param>
/// <param name="ColumnStep">Positions that it moves at a time.</param>
/// <param name="RowDilation">Rows from one of its own to the next.</param>
/// <param name="ColumnDilation">Positions from one of its own to the next.</param>
/// <param name="Top">Rows of padding above the image.</param>
/// <param name="Left">Padding before a row.</param>
/// <param name="Bottom">Rows of padding below the image.</param>
/// <param name="Right">Padding behind a row.</param>
internal sealed record ConvolutionWindow(int Height, int Width, int RowStep, int ColumnStep, int RowDilation, int ColumnDilation, int Top, int Left, int Bottom,
    int Right)
{
    /// <summary>The most padding on a side.</summary>
    public int Margin => Math.Max(Math.Max(Top, Left), Math.Max(Bottom, Right));

    /// <summary>Positions from its first column to its last, in images taken apart by its steps.</summary>
    public int Reach => (Width - 1) * ColumnDilation / ColumnStep;

    /// <summary>How many positions to the right of a result a column is read, in images taken apart by its steps where it has any.</summary>
    public int Move(int column) => RowStep == 1 && ColumnStep == 1 ? column * ColumnDilation - Left : column * ColumnDilation / ColumnStep;

    /// <summary>The window in the attributes of a node; null where it is not over two dimensions, or its padding follows from the size of the image.</summary>
    public static ConvolutionWindow? Of(Node node, ImmutableArray<int> kernel)
    {
        if (kernel.Length != 2 || node.Text("auto_pad", "NOTSET") != "NOTSET" || node.Int("ceil_mode", 0) != 0)
        {
            return null;
        }

        var (steps, pads, dilations) = (node.Ints("strides", 1, 1), node.Ints("pads", 0, 0, 0, 0), node.Ints("dilations", 1, 1));
        return pads.Any(pad => pad < 0) ? null
            : new(kernel[0], kernel[1], (int)steps[0], (int)steps[1], (int)dilations[0], (int)dilations[1], (int)pads[0], (int)pads[1], (int)pads[2],
                (int)pads[3]);
    }
}
