namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>How many rows are of a class, are predicted to be, and are both; rows count as often as they weigh.</summary>
internal readonly record struct ClassCounts(double Actual, double Predicted, double Both)
{
    /// <summary>Of all classes, in order.</summary>
    public static ClassCounts[] Of(Predictions predictions)
    {
        var (actual, predicted, both) = (new double[predictions.Classes], new double[predictions.Classes], new double[predictions.Classes]);
        for (var row = 0; row < predictions.Rows; row++)
        {
            var (label, found, weight) = ((int)predictions.Labels[row], predictions.PredictedClass(row), predictions.WeightOf(row));
            actual[label] += weight;
            if (found >= 0)
            {
                predicted[found] += weight;
            }

            if (found == label)
            {
                both[label] += weight;
            }
        }

        return [.. actual.Select((count, i) => new ClassCounts(count, predicted[i], both[i]))];
    }

    /// <summary>Share of the rows of the class that are found; not a number where there are none.</summary>
    public double Recall => Both / Actual;

    /// <summary>Share of the rows predicted to be of the class that are; 0 where none is predicted to be while there are some, as in scikit-learn.</summary>
    public double Precision => Predicted > 0 ? Both / Predicted : Actual > 0 ? 0 : double.NaN;

    /// <summary>The harmonic mean of precision and recall; not a number where no row is of the class or predicted to be.</summary>
    public double F1 => 2 * Both / (Actual + Predicted);

    /// <summary>The mean over the classes for which there is a value.</summary>
    public static double Macro(Predictions predictions, Func<ClassCounts, double> value)
        => Of(predictions).Select(value).Where(one => !double.IsNaN(one)).DefaultIfEmpty(double.NaN).Average();

    /// <summary>The mean over the classes with rows, each as much as they count.</summary>
    public static double Weighted(Predictions predictions, Func<ClassCounts, double> value)
    {
        var counts = Of(predictions).Where(count => count.Actual > 0).ToArray();
        return counts.Sum(count => count.Actual * value(count)) / counts.Sum(count => count.Actual);
    }
}
