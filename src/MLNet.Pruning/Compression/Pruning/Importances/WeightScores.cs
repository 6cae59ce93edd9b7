namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Scores that were measured weight by weight; slices are worth the sum of their weights.</summary>
/// <param name="criterion">Name of the criterion that measured them.</param>
/// <param name="scores">One a weight, by parameter.</param>
internal sealed class WeightScores(string criterion, IReadOnlyDictionary<string, float[]> scores) : ImportanceScores
{
    private protected override void Weights(Parameter parameter, int start, Span<float> weights)
    {
        var measured = scores.TryGetValue(parameter.Name, out var found) && found.Length == parameter.Count ? found
            : throw new InvalidOperationException($"{criterion} does not say what the weights of parameter {parameter} are worth; it scores "
                + $"{(scores.Count == 0 ? "none" : string.Join(", ", scores.Keys))}.");
        measured.AsSpan(start, weights.Length).CopyTo(weights);
    }

    public override string ToString() => criterion;
}
