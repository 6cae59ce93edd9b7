namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>Changes rows, batch after batch in their order.</summary>
internal interface IRowChange : IDisposable
{
    /// <summary>Changes the rows of a batch where they are.</summary>
    /// <param name="rows">Their values, row after row.</param>
    /// <param name="labels">One a row: the class, or the value to predict.</param>
    void Change(Span<float> rows, ReadOnlySpan<float> labels);
}
