namespace MLNet.Pruning.Scoring;

/// <summary>Scores batches of rows. Serves one thread at a time.</summary>
internal interface IBatchScorer : IDisposable
{
    /// <summary>Numbers in a row of <see cref="Rows"/>.</summary>
    int Width { get; }

    /// <summary>Where the rows of the next batch are written, one after another.</summary>
    float[] Rows { get; }

    /// <summary>Scores of a row of the last batch.</summary>
    ReadOnlySpan<float> Scores(int row);

    /// <summary>Scores the first <paramref name="count"/> rows of <see cref="Rows"/>.</summary>
    void Run(int count);
}
