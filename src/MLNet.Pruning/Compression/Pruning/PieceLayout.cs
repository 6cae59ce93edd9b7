namespace MLNet.Pruning;

/// <summary>Which weights of a parameter go together: slices along a dimension, kernels, or blocks.</summary>
internal sealed class PieceLayout
{
    private readonly Func<IEnumerable<(int Piece, int Start, int Length)>> _runs;
    private readonly int? _dimension;

    private PieceLayout(int count, Func<IEnumerable<(int, int, int)>> runs, int? dimension = null) => (Count, _runs, _dimension) = (count, runs, dimension);

    /// <summary>Number of pieces.</summary>
    public int Count { get; }

    /// <summary>The pieces as runs of consecutive weights, every run once, in the order of storage.</summary>
    public IEnumerable<(int Piece, int Start, int Length)> Runs => _runs();

    public static PieceLayout Slices(Parameter parameter, int dimension)
        => new(parameter.Shape[dimension], () => SliceRuns.Of(parameter.Shape, dimension), dimension);

    /// <summary>The kernels of a convolution's weight, whose first two dimensions are filters and channels, in either order.</summary>
    public static PieceLayout Kernels(Parameter parameter)
    {
        var count = parameter.Shape[0] * parameter.Shape[1];
        return new(count, () => SliceRuns.Of([count, parameter.Count / Math.Max(1, count)], 0));
    }

    /// <summary>Blocks of a weight seen as a matrix of outputs x inputs that they divide.</summary>
    public static PieceLayout Blocks(WeightMatrix matrix, int rows, int columns)
    {
        // In storage a run lies along the inputs, or along the outputs where those are stored last.
        var (lines, length, down, along) = matrix.IsTransposed ? (matrix.Columns, matrix.Rows, columns, rows) : (matrix.Rows, matrix.Columns, rows, columns);
        var pieces = length / along;
        return new(lines / down * pieces, () => Runs());

        IEnumerable<(int, int, int)> Runs()
        {
            for (var line = 0; line < lines; line++)
            {
                for (var piece = 0; piece < pieces; piece++)
                {
                    yield return (line / down * pieces + piece, line * length + piece * along, along);
                }
            }
        }
    }

    /// <summary>What each piece is worth.</summary>
    public double[] Score(Importance importance, Parameter parameter)
    {
        var scores = new double[Count];
        if (_dimension is { } dimension)
        {
            importance.ScoreSlices(parameter, dimension, scores);
        }
        else
        {
            importance.ScorePieces(parameter, this, scores);
        }

        return scores;
    }

    /// <summary>The values piece by piece.</summary>
    public float[] Gather(ReadOnlySpan<float> values)
    {
        var gathered = new float[values.Length];
        var filled = new int[Count];
        var size = values.Length / Count;
        foreach (var (piece, start, length) in Runs)
        {
            values.Slice(start, length).CopyTo(gathered.AsSpan(piece * size + filled[piece]));
            filled[piece] += length;
        }

        return gathered;
    }
}
