namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>What a metric found.</summary>
/// <param name="Value">Its value; not a number where there is none.</param>
/// <param name="Note">What there is to say of it: why there is none, how it was measured, or by which constants it was estimated; null for nothing.</param>
internal readonly record struct Measured(double Value, string? Note = null);
