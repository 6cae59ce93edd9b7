namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// The loss of scores against labels, and its derivatives by the score. Logistic where the model gives probabilities; otherwise half the
/// squared error, of the label or of the positive class's score.
/// </summary>
internal sealed class TreeLoss(DecisionTreeEnsemble ensemble)
{
    private readonly PlattScaling? _calibration = ensemble.Calibration;
    private readonly bool _isBinary = ensemble.Task.IsClassification;
    private readonly double _score = ensemble.PositiveScore;

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

    private double Target(float label) => !_isBinary ? label : label > 0 ? _score : -_score;

    private (double First, double Second) Derivatives(double score, float label)
    {
        if (_calibration is not { } platt)
        {
            return (score - Target(label), 1);
        }

        var probability = 1 / (1 + Math.Exp(platt.Slope * score + platt.Offset));
        return (-platt.Slope * (probability - label), platt.Slope * platt.Slope * probability * (1 - probability));
    }
}
