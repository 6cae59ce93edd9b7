namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// The loss of scores against labels, and its derivatives by the score. Logistic where the model gives probabilities, against the other classes'
/// scores where rows have some, so that it is the softmax's cross-entropy; otherwise half the squared error, of the label or of the positive class's score.
/// </summary>
internal sealed class TreeLoss(DecisionTreeEnsemble ensemble)
{
    private readonly PlattScaling? _calibration = ensemble.Calibration;
    private readonly bool _isBinary = ensemble.Task.IsClassification;
    private readonly double _score = ensemble.PositiveScore;

    /// <summary>Largest second derivative: what one row weighs.</summary>
    public double Curvature => _calibration is { } platt ? platt.Slope * platt.Slope / 4 : 1;

    public bool IsQuadratic => _calibration is null;

    /// <summary>The loss of a row, as if it counted once.</summary>
    public double Value(double score, TreeRows rows, int row)
    {
        if (_calibration is not { } platt)
        {
            var error = score - Target(rows.Labels[row]);
            return error * error / 2;
        }

        var logit = Logit(platt, score, rows, row);
        var signed = rows.Labels[row] > 0 ? logit : -logit;
        return Math.Max(-signed, 0) + Math.Log(1 + Math.Exp(-Math.Abs(signed)));
    }

    /// <summary>The weighted sum over rows.</summary>
    public double Total(double[] scores, TreeRows rows)
    {
        double total = 0;
        for (var row = 0; row < scores.Length; row++)
        {
            total += rows.WeightOf(row) * Value(scores[row], rows, row);
        }

        return total;
    }

    /// <summary>The derivatives of the weighted sum by the score of a row.</summary>
    public (double First, double Second) Derivatives(double score, TreeRows rows, int row)
    {
        var weight = rows.WeightOf(row);
        if (_calibration is not { } platt)
        {
            return (weight * (score - Target(rows.Labels[row])), weight);
        }

        var probability = 1 / (1 + Math.Exp(-Logit(platt, score, rows, row)));
        return (weight * -platt.Slope * (probability - rows.Labels[row]), weight * platt.Slope * platt.Slope * probability * (1 - probability));
    }

    private static double Logit(PlattScaling platt, double score, TreeRows rows, int row) => -(platt.Slope * score + platt.Offset) - rows.RivalOf(row);

    private double Target(float label) => !_isBinary ? label : label > 0 ? _score : -_score;
}
