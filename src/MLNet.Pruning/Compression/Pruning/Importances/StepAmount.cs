namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>What a step takes of layers of one rule.</summary>
/// <param name="Granularity">What is pruned as one.</param>
/// <param name="Weights">Names of the weights that may lose something.</param>
/// <param name="Drop">
/// What is left of the network where a share of what the step is to take goes by other scores; no more than the step takes by these.
/// </param>
internal sealed record StepAmount(Granularity Granularity, IReadOnlyCollection<string> Weights, Func<ImportanceScores, double, PrunedNetwork> Drop);
