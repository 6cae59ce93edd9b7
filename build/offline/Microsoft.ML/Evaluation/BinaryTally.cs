namespace Microsoft.ML.Data;

/// <summary>Counts and sums from which the metrics of two classes follow.</summary>
internal sealed class BinaryTally
{
    private const int PrecisionRecallSampleSize = 100_000;

    private readonly Random _random;
    private readonly List<float> _positiveScores = [];
    private readonly List<float> _negativeScores = [];
    private readonly List<(float Score, bool Positive)> _sample = [];
    private double _logLoss;
    private double _logLossPositives;
    private double _logLossNegatives;
    private long _examples;

    public BinaryTally(Random random) => _random = random;

    public double TruePositives { get; private set; }
    public double FalsePositives { get; private set; }
    public double TrueNegatives { get; private set; }
    public double FalseNegatives { get; private set; }

    public double Accuracy => (TruePositives + TrueNegatives) / (TruePositives + TrueNegatives + FalsePositives + FalseNegatives);
    public double PositivePrecision => Ratio(TruePositives, TruePositives + FalsePositives);
    public double PositiveRecall => Ratio(TruePositives, TruePositives + FalseNegatives);
    public double NegativePrecision => Ratio(TrueNegatives, TrueNegatives + FalseNegatives);
    public double NegativeRecall => Ratio(TrueNegatives, TrueNegatives + FalsePositives);
    public double F1Score => Ratio(2 * PositivePrecision * PositiveRecall, PositivePrecision + PositiveRecall);
    public double AreaUnderRocCurve => RankingCurves.AreaUnderRoc(_positiveScores, _negativeScores);
    public double AreaUnderPrecisionRecallCurve => RankingCurves.AreaUnderPrecisionRecall(_sample);

    /// <summary>Entropy of the label distribution, in bits.</summary>
    public double Entropy => BinaryEntropy((TruePositives + FalseNegatives) / (TruePositives + TrueNegatives + FalsePositives + FalseNegatives));

    public double LogLoss => double.IsNaN(_logLoss) ? double.NaN : Ratio(_logLoss, _logLossPositives + _logLossNegatives);

    public double LogLossReduction
    {
        get
        {
            double examples = _logLossPositives + _logLossNegatives;
            if (examples == 0)
            {
                return 0;
            }

            double prior = BinaryEntropy(_logLossPositives / examples);
            return (prior - _logLoss / examples) / prior;
        }
    }

    public double[][] Counts => [[TruePositives, FalseNegatives], [FalsePositives, TrueNegatives]];

    /// <summary>A score above zero predicts the positive class, whatever the probability. NaN: no probability.</summary>
    public void Add(bool positive, float score, float probability)
    {
        if (positive)
        {
            if (score > 0)
            {
                TruePositives++;
            }
            else
            {
                FalseNegatives++;
            }
        }
        else if (score > 0)
        {
            FalsePositives++;
        }
        else
        {
            TrueNegatives++;
        }

        if (!float.IsNaN(probability))
        {
            if (positive)
            {
                _logLossPositives++;
            }
            else
            {
                _logLossNegatives++;
            }
        }

        // In double precision: 1 - p of a single rounds to zero too early.
        _logLoss += float.IsNaN(probability) ? double.NaN : -Math.Log2(positive ? probability : 1.0 - probability);

        (positive ? _positiveScores : _negativeScores).Add(score);
        Sample(score, positive);
    }

    /// <summary>Every example is in the sample with equal chance (Vitter's algorithm R).</summary>
    private void Sample(float score, bool positive)
    {
        _examples++;
        if (_sample.Count < PrecisionRecallSampleSize)
        {
            _sample.Add((score, positive));
        }
        else if (_random.NextInt64(_examples) is var slot and < PrecisionRecallSampleSize)
        {
            _sample[(int)slot] = (score, positive);
        }
    }

    private static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0;

    private static double BinaryEntropy(double p) => p switch
    {
        < 0 or > 1 or double.NaN => double.NaN,
        0 or 1 => 0,
        _ => -p * Math.Log2(p) - (1 - p) * Math.Log2(1 - p),
    };
}
