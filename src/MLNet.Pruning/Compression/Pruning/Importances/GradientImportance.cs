namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Criteria made of a weight and the gradient of the mean loss over the calibration rows at it. Cost: one forward and backward pass a row.</summary>
internal abstract class GradientImportance(string name, int rows) : CalibratedImportance(name)
{
    private readonly int _rows = Rows(rows);

    internal sealed override Importance Bind(Calibration calibration)
    {
        using var run = calibration.Start(Name, _rows);
        run.Differentiate();
        return calibration.Scores(Name, Finish(calibration.Network, run.Combine(Score)));
    }

    protected abstract float Score(float weight, float gradient);

    /// <summary>What is done once all weights are known.</summary>
    protected virtual Dictionary<string, float[]> Finish(Network network, Dictionary<string, float[]> scores) => scores;
}
