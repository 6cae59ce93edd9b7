namespace MLNet.Pruning.Structure.Granularities;

/// <summary>
/// Which weights of a parameter go together: slices along a dimension, kernels, blocks, or each by itself. In storage a parameter is lines of one
/// length, which <see cref="Down"/> structures share with the lines after them, and each line is runs of one length, a structure after the other.
/// </summary>
internal sealed class StructureLayout
{

    /// <param name="count">Structures; beyond, they begin again.</param>
    /// <param name="weights">Weights of all.</param>
    /// <param name="length">Weights in a line.</param>
    /// <param name="down">Lines of a structure that follow each other.</param>
    /// <param name="along">Consecutive weights of a structure.</param>
    /// <param name="dimension">The dimension whose slices they are.</param>
    public StructureLayout(int count, int weights, int length, int down, int along, int? dimension = null)
        => (Count, Weights, Length, Down, Along, Dimension) = (count, weights, length, down, along, dimension);

    /// <summary>The dimension whose slices the structures are; null for other structures.</summary>
    public int? Dimension { get; }

    /// <summary>Number of structures.</summary>
    public int Count { get; }

    public int Weights { get; }

    public int Length { get; }

    public int Down { get; }

    public int Along { get; }

    /// <summary>The structures as runs of consecutive weights, every run once, in the order of storage.</summary>
    public IEnumerable<(int Structure, int Start, int Length)> Runs
    {
        get
        {
            for (var start = 0; start < Weights; start += Along)
            {
                yield return (Of(start), start, Along);
            }
        }
    }

    public static StructureLayout Slices(Parameter parameter, int dimension)
    {
        var length = parameter.Shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
        return new(parameter.Shape[dimension], parameter.Count, length, 1, length, dimension);
    }

    /// <summary>The kernels of a convolution's weight, whose first two dimensions are filters and channels, in either order.</summary>
    public static StructureLayout Kernels(Parameter parameter)
    {
        var count = parameter.Shape[0] * parameter.Shape[1];
        var length = parameter.Count / Math.Max(1, count);
        return new(count, parameter.Count, length, 1, length);
    }

    /// <summary>Blocks of a weight seen as a matrix of outputs x inputs that they divide.</summary>
    public static StructureLayout Blocks(WeightMatrix matrix, int rows, int columns)
    {
        // In storage a run lies along the inputs, or along the outputs where those are stored last.
        var (lines, length, down, along) = matrix.IsTransposed ? (matrix.Columns, matrix.Rows, columns, rows) : (matrix.Rows, matrix.Columns, rows, columns);
        return new(lines / down * (length / along), lines * length, length, down, along);
    }

    /// <summary>Every weight by itself.</summary>
    public static StructureLayout Single(Parameter parameter) => new(parameter.Count, parameter.Count, 1, 1, 1);

    /// <summary>The structure that a weight belongs to.</summary>
    /// <param name="weight">Its row-major index.</param>
    public int Of(int weight) => (weight / Length / Down * (Length / Along) + weight % Length / Along) % Count;

    /// <summary>Whether each structure has a weight that is not dropped.</summary>
    public bool[] Alive(WeightMask? mask)
    {
        if (Count == Weights && mask is not null)
        {
            return mask.ToArray();
        }

        var alive = new bool[Count];
        if (mask is null)
        {
            Array.Fill(alive, true);
            return alive;
        }

        foreach (var (structure, start, length) in Runs)
        {
            for (var i = start; i < start + length && !alive[structure]; i++)
            {
                alive[structure] = mask[i];
            }
        }

        return alive;
    }

    /// <summary>The values structure by structure.</summary>
    public float[] Gather(ReadOnlySpan<float> values)
    {
        var gathered = new float[values.Length];
        var filled = new int[Count];
        var size = values.Length / Count;
        foreach (var (structure, start, length) in Runs)
        {
            values.Slice(start, length).CopyTo(gathered.AsSpan(structure * size + filled[structure]));
            filled[structure] += length;
        }

        return gathered;
    }
}
