namespace MLNet.Pruning.Data;

/// <summary>How labelled rows are read and split.</summary>
/// <param name="Label">Name of the label column.</param>
/// <param name="SkipInvalidRows">Whether rows with missing labels or values that are not finite are left out; else they are refused.</param>
/// <param name="ValidationFraction">Share of the rows held back to measure on.</param>
/// <param name="SplitSeed">Seed of the split; the same seed and rows give the same split.</param>
/// <param name="CancellationToken">Ends the reading.</param>
internal sealed record RowRules(string Label, bool SkipInvalidRows, double ValidationFraction, int SplitSeed, CancellationToken CancellationToken);
