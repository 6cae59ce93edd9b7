namespace MLNet.Pruning.Data;

/// <summary>How labelled rows are read and split.</summary>
/// <param name="Label">Name of the label column.</param>
/// <param name="Weight">Name of the column that says how often a row counts; null for once each.</param>
/// <param name="SkipInvalidRows">
/// Whether rows with missing labels, values that are not finite or weights that are none are left out; else they are refused.
/// </param>
/// <param name="ValidationFraction">Share of the rows held back to measure on.</param>
/// <param name="SplitSeed">Seed of the split; the same seed and rows give the same split.</param>
/// <param name="CancellationToken">Ends the reading.</param>
internal sealed record RowRules(string Label, string? Weight, bool SkipInvalidRows, double ValidationFraction, int SplitSeed,
    CancellationToken CancellationToken)
{
    /// <summary>Whether the rows are measured on alone, so that none are held back and one class will do.</summary>
    public bool AreMeasured { get; init; }
}
