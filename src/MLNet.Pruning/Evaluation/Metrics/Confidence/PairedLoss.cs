namespace MLNet.Pruning.Evaluation.Metrics.Confidence;

/// <summary>
/// An upper confidence bound on the loss of a metric, from what two networks say of the same rows. Exact where each row is right or wrong; by
/// large-sample theory otherwise, at half the error that is allowed.
/// </summary>
internal static class PairedLoss
{
    private const int Resamples = 1000;
    private const int Seed = 20_011;

    /// <summary>The bound; infinite where rows are too few to say.</summary>
    /// <param name="metric">What is lost; a metric of predictions.</param>
    /// <param name="before">What the network before says, of changed rows where the metric changes them.</param>
    /// <param name="after">What the other says of the same rows.</param>
    /// <param name="error">Probability that the bound lies below the true loss, at most.</param>
    public static double Upper(Metric metric, Predictions before, Predictions after, double error)
    {
        if (metric.Row is not { } row)
        {
            return Bootstrap(metric, before, Pessimistic(metric, before, after, error), error / 2);
        }

        var (olds, news) = (Values(before), Values(after));
        // An error in some unit may be 0 or 1 by chance; a plain number that always is says right or wrong.
        if (metric.Unit.Length == 0 && olds.Concat(news).All(value => value is 0 or 1))
        {
            var losses = olds.Zip(news, metric.Loss).ToArray();
            return PairedProportions.Upper(losses.Length, losses.Count(loss => loss > 0), losses.Count(loss => loss < 0), error);
        }

        return Mean([.. olds.Zip(news, metric.Loss)], error / 2);

        double[] Values(Predictions predictions) => [.. Enumerable.Range(0, predictions.Rows).Select(one => row(predictions, one))];
    }

    /// <summary>Student's bound on a mean, moved up where losses are skewed to the large ones (Johnson 1978).</summary>
    private static double Mean(double[] losses, double error)
    {
        if (losses.Length < 2)
        {
            return double.PositiveInfinity;
        }

        var (rows, mean) = (losses.Length, losses.Average());
        var variance = losses.Sum(loss => Math.Pow(loss - mean, 2)) / (rows - 1);
        if (variance == 0)
        {
            return mean;
        }

        var (t, third) = (Distributions.StudentQuantile(1 - error, rows - 1), losses.Sum(loss => Math.Pow(loss - mean, 3)) / rows);
        return mean + t * Math.Sqrt(variance / rows) + Math.Max(0, third) / (variance * rows) * (1.0 / 6 + t * t / 3);
    }

    /// <summary>
    /// The percentile of the loss over rows drawn anew with replacement, the same of both networks (Efron and Tibshirani 1993); the same draws each
    /// time.
    /// </summary>
    private static double Bootstrap(Metric metric, Predictions before, Predictions after, double error)
    {
        var random = new Random(Seed);
        var (losses, rows) = (new double[Resamples], new int[before.Rows]);
        for (var i = 0; i < losses.Length; i++)
        {
            for (var row = 0; row < rows.Length; row++)
            {
                rows[row] = random.Next(rows.Length);
            }

            var loss = metric.Loss(metric.MeasureSeen(before.Take(rows)), metric.MeasureSeen(after.Take(rows)));
            // Rows that do not define the metric tell nothing against the worst.
            losses[i] = double.IsNaN(loss) ? double.PositiveInfinity : loss;
        }

        Array.Sort(losses);
        return losses[Math.Min(Resamples - 1, (int)Math.Ceiling((1 - error) * Resamples))];
    }

    /// <summary>
    /// What no row shows may still be there: where none of n is seen, a share of -ln(error) / n is not excluded (the rule of three, Hanley and
    /// Lippman-Hand 1983). So many rows of one class, that of which it costs most, are taken to be lost.
    /// </summary>
    private static Predictions Pessimistic(Metric metric, Predictions before, Predictions after, double error)
    {
        var worst = after;
        var measured = metric.MeasureSeen(before);
        for (var c = 0; c < after.Classes; c++)
        {
            var candidate = after.WithLost(c, (int)Math.Ceiling(-Math.Log(error)));
            worst = metric.Loss(measured, metric.MeasureSeen(candidate)) > metric.Loss(measured, metric.MeasureSeen(worst)) ? candidate : worst;
        }

        return worst;
    }
}
