namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Criteria made of a weight and the gradient of the mean loss over the calibration rows at it. Cost: one forward and backward pass a row.</summary>
internal abstract class GradientImportance(string maker, int rows) : CalibratedImportance(maker, rows)
{
    private readonly int _rows = Rows(rows);

    protected sealed override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        run.Differentiate();
        return ImportanceScores.OfWeights(Name, Finish(context.Network, run.Combine(Score)), context.Masks);
    }

    protected abstract float Score(float weight, float gradient);

    /// <summary>What is done once all weights are known.</summary>
    protected virtual Dictionary<string, float[]> Finish(Network network, Dictionary<string, float[]> scores) => scores;
}
