namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>Changes row by row.</summary>
/// <param name="width">Values of a row.</param>
/// <param name="change">Changes a row where it is.</param>
/// <param name="range">The range that values are kept in; null for any.</param>
internal sealed class ValueChange(int width, ValueChange.OfRow change, (float Low, float High)? range) : IRowChange
{
    public delegate void OfRow(Span<float> row);

    public void Change(Span<float> rows, ReadOnlySpan<float> labels)
    {
        for (var row = 0; row < labels.Length; row++)
        {
            change(rows.Slice(row * width, width));
        }

        if (range is { } within)
        {
            foreach (ref var value in rows)
            {
                value = Math.Clamp(value, within.Low, within.High);
            }
        }
    }

    public void Dispose()
    {
    }
}
