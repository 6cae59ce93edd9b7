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
    private readonly List<long> _leftOut = [];

    public TrainingData(int width) => (Width, _rowsPerChunk) = (width, Math.Max(1, ValuesPerChunk / width));

    /// <summary>Values of a row.</summary>
    public int Width { get; }

    public int Rows => _targets.Count;

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
    public void Add(float target) => _targets.Add(target);

    /// <summary>Notes that a row that was read is left out.</summary>
    public void LeaveOut(long number) => _leftOut.Add(number);

    public ReadOnlySpan<float> Row(int row) => Chunk(row);

    public float Target(int row) => _targets[row];

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
