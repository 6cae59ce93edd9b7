namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// The loss of scores against labels, its derivatives by the score, and the metric that users see. Logistic where the model gives
/// probabilities; otherwise half the squared error, of the label or of a side's score.
/// </summary>
internal sealed class TreeLoss(DecisionTreeEnsemble ensemble)
{
    private readonly PlattScaling? _calibration = ensemble.Calibration;
    private readonly bool _isBinary = ensemble.Task == LearningTask.Binary;
    private readonly double _side = ensemble.SideScore;

    public string MetricName => _isBinary ? "AUC" : "R²";

    /// <summary>Largest second derivative: what one row weighs.</summary>
    public double Curvature => _calibration is { } platt ? platt.Slope * platt.Slope / 4 : 1;

    public bool IsQuadratic => _calibration is null;

    public double Value(double score, float label)
    {
        if (_calibration is not { } platt)
        {
            var error = score - Target(label);
            return error * error / 2;
        }

        var logit = -(platt.Slope * score + platt.Offset);
        var signed = label > 0 ? logit : -logit;
        return Math.Max(-signed, 0) + Math.Log(1 + Math.Exp(-Math.Abs(signed)));
    }

    /// <summary>The weighted sum over rows.</summary>
    public double Total(double[] scores, TreeRows rows)
    {
        double total = 0;
        for (var row = 0; row < scores.Length; row++)
        {
            total += rows.WeightOf(row) * Value(scores[row], rows.Labels[row]);
        }

        return total;
    }

    /// <summary>The derivatives of the weighted sum by the score of a row.</summary>
    public (double First, double Second) Derivatives(double score, TreeRows rows, int row)
    {
        var (first, second) = Derivatives(score, rows.Labels[row]);
        return (rows.WeightOf(row) * first, rows.WeightOf(row) * second);
    }

    /// <summary>The area under the ROC curve, ties counting half, or the share of the variance explained.</summary>
    /// <param name="scores">The scores of the rows.</param>
    /// <param name="labels">Their labels.</param>
    /// <param name="weight">How often a row counts; null for once.</param>
    public double Metric(double[] scores, float[] labels, Func<int, double>? weight = null)
        => _isBinary ? AreaUnderCurve(scores, labels, weight ?? (_ => 1)) : RSquared(scores, labels, weight ?? (_ => 1));

    private double Target(float label) => !_isBinary ? label : label > 0 ? _side : -_side;

    private (double First, double Second) Derivatives(double score, float label)
    {
        if (_calibration is not { } platt)
        {
            return (score - Target(label), 1);
        }

        var probability = 1 / (1 + Math.Exp(platt.Slope * score + platt.Offset));
        return (-platt.Slope * (probability - label), platt.Slope * platt.Slope * probability * (1 - probability));
    }

    private static double RSquared(double[] scores, float[] labels, Func<int, double> weight)
    {
        double total = 0, sum = 0, error = 0, deviation = 0;
        for (var row = 0; row < scores.Length; row++)
        {
            total += weight(row);
            sum += weight(row) * labels[row];
        }

        for (var row = 0; row < scores.Length; row++)
        {
            error += weight(row) * Math.Pow(scores[row] - labels[row], 2);
            deviation += weight(row) * Math.Pow(labels[row] - sum / total, 2);
        }

        return 1 - error / deviation;
    }

    private static double AreaUnderCurve(double[] scores, float[] labels, Func<int, double> weight)
    {
        // As ML.NET sees them: scores that are one float are a tie.
        var keys = Array.ConvertAll(scores, score => (float)score);
        int[] order = [.. Enumerable.Range(0, keys.Length)];
        Array.Sort(keys, order);
        double pairs = 0, below = 0, above = 0;
        for (int start = 0, end; start < keys.Length; start = end)
        {
            double positives = 0, negatives = 0;
            for (end = start; end < keys.Length && keys[end] == keys[start]; end++)
            {
                var row = order[end];
                (positives, negatives) = labels[row] > 0 ? (positives + weight(row), negatives) : (positives, negatives + weight(row));
            }

            pairs += positives * (below + negatives / 2);
            (below, above) = (below + negatives, above + positives);
        }

        return pairs / (below * above);
    }
}
