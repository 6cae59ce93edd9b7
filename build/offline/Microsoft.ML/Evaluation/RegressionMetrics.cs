namespace Microsoft.ML.Data;

public sealed class RegressionMetrics
{
    internal RegressionMetrics(RegressionTally tally)
    {
        MeanAbsoluteError = tally.Mean(tally.AbsoluteError);
        MeanSquaredError = tally.Mean(tally.SquaredError);
        RootMeanSquaredError = Math.Sqrt(MeanSquaredError);
        LossFunction = tally.Mean(tally.Loss);
        RSquared = tally.RSquared;
    }

    public double MeanAbsoluteError { get; }

    public double MeanSquaredError { get; }

    public double RootMeanSquaredError { get; }

    public double LossFunction { get; }

    public double RSquared { get; }
}
