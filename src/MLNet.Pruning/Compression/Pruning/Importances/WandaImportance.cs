namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// |w| times the Euclidean norm, over all rows and positions, of what the weight multiplies (Sun et al. 2024, "A Simple and Effective Pruning
/// Approach for Large Language Models"); slices by their sum. The paper compares weights within a row of the layer. Scores the weights of dense
/// layers and convolutions.
/// </summary>
internal sealed class WandaImportance(int rows) : CalibratedImportance(nameof(Wanda), rows)
{
    private readonly int _rows = Rows(rows);

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var scores = InputNorms.Of(context.Network, run);
        foreach (var (name, norms) in scores)
        {
            var weights = context.Network[name].Values;
            for (var i = 0; i < norms.Length; i++)
            {
                norms[i] *= MathF.Abs(weights[i]);
            }
        }

        return ImportanceScores.OfWeights(Name, scores, context.Masks);
    }
}
