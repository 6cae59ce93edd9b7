namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Connection sensitivity: |g w| as a share of its sum over the weights of all layers (Lee et al. 2019, "SNIP: Single-shot Network Pruning
/// based on Connection Sensitivity", equation 6). Meant for a network that is not trained yet.
/// </summary>
internal sealed class SnipImportance(int rows) : GradientImportance(nameof(Snip), rows)
{
    protected override float Score(float weight, float gradient) => MathF.Abs(weight * gradient);

    protected override Dictionary<string, float[]> Finish(Network network, Dictionary<string, float[]> scores)
    {
        var total = network.Layers.SelectMany(layer => layer.Weights).Distinct().Where(scores.ContainsKey)
            .Sum(name => scores[name].Sum(score => (double)score));
        if (total > 0)
        {
            foreach (var score in scores.Values)
            {
                for (var i = 0; i < score.Length; i++)
                {
                    score[i] = (float)(score[i] / total);
                }
            }
        }

        return scores;
    }
}
