using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Data;

/// <summary>A step that appends scores, as views, cursors and rows run it.</summary>
internal interface IScoringStep : ITransformer
{
    /// <summary>Schema of the rows it was fitted on.</summary>
    DataViewSchema InputSchema { get; }

    /// <summary>Numbers it reads of a row.</summary>
    int RowSize { get; }

    /// <summary>The columns it reads.</summary>
    ImmutableArray<DataViewSchema.Column> Bind(DataViewSchema schema);

    /// <summary>Reads those columns from a row.</summary>
    IRowReader CreateReader(DataViewRow row, ImmutableArray<DataViewSchema.Column> columns);

    IBatchScorer CreateScorer(int batch);

    /// <summary>A getter of one of the columns it appends, counted from 0.</summary>
    Delegate CreateGetter(int column, IOutputs outputs);
}

/// <summary>Reads what a step scores from the row that a cursor is at.</summary>
internal interface IRowReader
{
    /// <summary>Reads the row.</summary>
    /// <param name="values">Receives the values.</param>
    /// <param name="row">Number of the row, for messages.</param>
    /// <returns>What is wrong with the row; null for nothing.</returns>
    TrainingDataException? Read(Span<float> values, long row);
}

/// <summary>Where the outputs of the row at hand are.</summary>
internal interface IOutputs
{
    ReadOnlySpan<float> Current { get; }
}
