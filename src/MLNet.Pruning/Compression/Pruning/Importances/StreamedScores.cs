namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Scores of single weights that are computed as they are requested.</summary>
/// <param name="criterion">Name of the criterion.</param>
/// <param name="scorer">Computes them.</param>
internal sealed class StreamedScores(string criterion, WeightScorer scorer) : ImportanceScores
{
    public override string ToString() => criterion;

    private protected override void Weights(Parameter parameter, int start, Span<float> scores) => scorer(parameter, start, scores);
}
