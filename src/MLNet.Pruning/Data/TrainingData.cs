namespace MLNet.Pruning.Data;

/// <summary>
/// Rows in memory, in chunks of pinned storage that grow without copying, and which of them are held back for validation.
/// </summary>
internal sealed class TrainingData
{
    private const int ValuesPerChunk = 1 << 20;
    private readonly int _rowsPerChunk;
    private readonly List<float[]> _chunks = [];
    private readonly List<float> _targets = [];
    private readonly List<float>? _weights;
    private readonly List<long> _leftOut = [];

    /// <param name="width">Values of a row.</param>
    /// <param name="isWeighted">Whether rows count by weights of theirs; else each counts once.</param>
    public TrainingData(int width, bool isWeighted = false)
        => (Width, _rowsPerChunk, _weights) = (width, Math.Max(1, ValuesPerChunk / width), isWeighted ? [] : null);

    /// <summary>Values of a row.</summary>
    public int Width { get; }

    public int Rows => _targets.Count;

    /// <summary>Whether rows count by weights of theirs.</summary>
    public bool IsWeighted => _weights is not null;

    /// <summary>Numbers of the rows that were read but are not here, counted as they were read.</summary>
    public IReadOnlyList<long> LeftOut => _leftOut;

    /// <summary>Rows to train on and rows to measure on, in order. Set by <see cref="Split"/>.</summary>
    public ImmutableArray<int> TrainingRows { get; private set; } = [];

    /// <inheritdoc cref="TrainingRows"/>
    public ImmutableArray<int> ValidationRows { get; private set; } = [];

    /// <summary>Storage of the next row; counted once <see cref="Add"/> is called.</summary>
    public Span<float> Next()
    {
        if (Rows == _chunks.Count * _rowsPerChunk)
        {
            _chunks.Add(GC.AllocateUninitializedArray<float>(checked(_rowsPerChunk * Width), pinned: true));
        }

        return Chunk(Rows);
    }

    /// <summary>Completes the row written to <see cref="Next"/>.</summary>
    /// <param name="target">Index of the class from 0, 0 or 1 for the classes of a binary task, or the value to predict.</param>
    /// <param name="weight">How often it counts; looked at where rows are weighted.</param>
    public void Add(float target, float weight = 1)
    {
        _targets.Add(target);
        _weights?.Add(weight);
    }

    /// <summary>Notes that a row that was read is left out.</summary>
    public void LeaveOut(long number) => _leftOut.Add(number);

    public ReadOnlySpan<float> Row(int row) => Chunk(row);

    public float Target(int row) => _targets[row];

    /// <summary>How often a row counts.</summary>
    public float Weight(int row) => _weights is null ? 1 : _weights[row];

    /// <summary>How much rows count together: as many as they are where they are not weighted.</summary>
    public double Weight(ReadOnlySpan<int> rows)
    {
        if (_weights is null)
        {
            return rows.Length;
        }

        double sum = 0;
        foreach (var row in rows)
        {
            sum += _weights[row];
        }

        return sum;
    }

    /// <summary>
    /// Holds back a share of the rows, drawn by the seed; the same seed and number of rows give the same split, so that later steps
    /// of a chain never train on rows that an earlier one measured on.
    /// </summary>
    public void Split(double validationFraction, int seed)
    {
        var rows = Enumerable.Range(0, Rows).ToArray();
        var held = (int)Math.Round(Rows * validationFraction);
        if (held > 0)
        {
            new Random(seed).Shuffle(rows);
        }

        ValidationRows = [.. rows.Take(held).Order()];
        TrainingRows = [.. rows.Skip(held).Order()];
    }

    private Span<float> Chunk(int row) => _chunks[row / _rowsPerChunk].AsSpan(row % _rowsPerChunk * Width, Width);
}
