namespace MLNet.Pruning;

public sealed partial class Metric
{
    /// <summary>1 less the mean squared error over the variance of the labels, at most 1. The default of a regression.</summary>
    public static Metric RSquared { get; } = new("R2", "1 less the mean squared error over the variance of the labels.", "",
        MetricDirection.HigherIsBetter, ExplainedVariance, [LearningTask.Regression])
    {
        Needs = "labels that differ",
    };

    /// <summary>Mean of the absolute differences of score and label, in units of the label.</summary>
    public static Metric MeanAbsoluteError { get; } = ByRow("MAE", "Mean absolute difference of score and label.", "of the label",
        MetricDirection.LowerIsBetter,
        (rows, row) => Math.Abs((double)rows.Scores[row] - rows.Labels[row]), [LearningTask.Regression]);

    /// <summary>Root of the mean squared difference of score and label, in units of the label.</summary>
    public static Metric RootMeanSquaredError { get; } = new("RMSE", "Root of the mean squared difference of score and label.", "of the label",
        MetricDirection.LowerIsBetter,
        rows => Math.Sqrt(rows.Mean(row => SquaredError(rows, row))), [LearningTask.Regression]);

    private static Metric[] OfNumbers => [RSquared, MeanAbsoluteError, RootMeanSquaredError];

    private static double SquaredError(Predictions rows, int row)
    {
        var error = (double)rows.Scores[row] - rows.Labels[row];
        return error * error;
    }

    private static double ExplainedVariance(Predictions rows)
    {
        var mean = rows.Mean(row => rows.Labels[row]);
        var variance = rows.Mean(row => Math.Pow(rows.Labels[row] - mean, 2));
        return variance > 0 ? 1 - rows.Mean(row => SquaredError(rows, row)) / variance : double.NaN;
    }
}
