using MLNet.Pruning.Structure.Granularities;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>How a weight is a matrix, and how the two factors of that matrix are layers: the second reads what the first makes.</summary>
/// <param name="Weight">The weight.</param>
/// <param name="Matrix">Its sizes.</param>
internal abstract record MatrixForm(Parameter Weight, WeightMatrix Matrix)
{
    /// <summary>The two layers for a node that reads the weight.</summary>
    public abstract IReadOnlyList<LayerPart> Parts(Node node, int rank);

    /// <summary>Where an entry of the matrix is stored.</summary>
    public virtual int Place(int row, int column) => Matrix.Place(row, column);

    /// <summary>Where an entry of the factor rows x rank is stored.</summary>
    public virtual int PlaceLeft(int row, int k, int rank) => Matrix.IsTransposed ? k * Matrix.Rows + row : row * rank + k;

    /// <summary>Where an entry of the factor rank x columns is stored.</summary>
    public int PlaceRight(int k, int column, int rank) => Matrix.IsTransposed ? column * rank + k : k * Matrix.Columns + column;

    /// <summary>The matrix in double precision.</summary>
    public Tensor Read()
    {
        var values = new double[Weight.Count];
        for (var row = 0; row < Matrix.Rows; row++)
        {
            for (var column = 0; column < Matrix.Columns; column++)
            {
                values[row * Matrix.Columns + column] = Weight.Array[Place(row, column)];
            }
        }

        return tensor(values, [Matrix.Rows, Matrix.Columns]);
    }

    /// <summary>Two factors as the weights of the two layers, first the one that reads the inputs.</summary>
    /// <param name="left">Rows x rank.</param>
    /// <param name="right">Rank x columns.</param>
    public IReadOnlyList<float[]> Write(Tensor left, Tensor right)
    {
        var rank = (int)left.shape[1];
        var (u, v) = (Storage(Matrix.Rows * rank), Storage(rank * Matrix.Columns));
        Fill(u, left, (row, k) => PlaceLeft(row, k, rank));
        Fill(v, right, (k, column) => PlaceRight(k, column, rank));
        return [v, u];
    }

    private static float[] Storage(int count) => GC.AllocateUninitializedArray<float>(count, pinned: true);

    private static void Fill(float[] storage, Tensor values, Func<int, int, int> place)
    {
        using var whole = values.contiguous();
        var (all, columns) = (whole.data<double>().ToArray(), (int)values.shape[1]);
        for (var i = 0; i < all.Length; i++)
        {
            storage[place(i / columns, i % columns)] = (float)all[i];
        }
    }
}

/// <summary>Of a dense layer, of a table that is looked up, or of a convolution whose kernels are rows.</summary>
internal sealed record PlainForm(Parameter Weight, WeightMatrix Matrix) : MatrixForm(Weight, Matrix)
{
    public override IReadOnlyList<LayerPart> Parts(Node node, int rank) => LayerPart.OfRank(node, Weight, Matrix, rank);
}

/// <summary>
/// Of a convolution of two dimensions: filters by columns of the kernel x channels by rows of the kernel, so that its factors are kernels of one column and of
/// one row.
/// </summary>
internal sealed record SpatialForm(Parameter Weight) : MatrixForm(Weight, new(Weight.Shape[0] * Weight.Shape[3], Weight.Shape[1] * Weight.Shape[2], false))
{
    public override int Place(int row, int column)
        => ((row / Weight.Shape[3] * Weight.Shape[1] + column / Weight.Shape[2]) * Weight.Shape[2] + column % Weight.Shape[2]) * Weight.Shape[3]
            + row % Weight.Shape[3];

    public override int PlaceLeft(int row, int k, int rank) => (row / Weight.Shape[3] * rank + k) * Weight.Shape[3] + row % Weight.Shape[3];

    public override IReadOnlyList<LayerPart> Parts(Node node, int rank)
    {
        var (filters, channels, height, width) = (Weight.Shape[0], Weight.Shape[1], Weight.Shape[2], Weight.Shape[3]);
        return [new("Conv", 1, [rank, channels, height, 1], Along(node, 0, height)), new("Conv", 1, [filters, rank, 1, width], Along(node, 1, width))];
    }

    /// <summary>The window's attributes along one dimension of space alone.</summary>
    private static ImmutableDictionary<string, object> Along(Node node, int dimension, long size)
    {
        long[] Only(long value, long otherwise) => dimension == 0 ? [value, otherwise] : [otherwise, value];
        var (strides, dilations, pads) = (node.Ints("strides", 1, 1), node.Ints("dilations", 1, 1), node.Ints("pads", 0, 0, 0, 0));
        var attributes = node.Attributes.SetItem("kernel_shape", Only(size, 1)).SetItem("strides", Only(strides[dimension], 1))
            .SetItem("dilations", Only(dilations[dimension], 1));
        // A padding that follows from the size of the image follows along each dimension by itself.
        return node.Attributes.ContainsKey("pads")
            ? attributes.SetItem("pads", (long[])[.. Only(pads[dimension], 0), .. Only(pads[2 + dimension], 0)]) : attributes;
    }
}
