namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Squares of weights, whose sum over all slices of a group orders groups as their Euclidean norm does.</summary>
internal sealed class SquareScores : ImportanceScores
{
    private protected override void Weights(Parameter parameter, int start, Span<float> scores)
    {
        var values = parameter.Values.Slice(start, scores.Length);
        for (var i = 0; i < values.Length; i++)
        {
            scores[i] = values[i] * values[i];
        }
    }
}
