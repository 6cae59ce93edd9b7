using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>Sums from which every regression metric follows.</summary>
internal sealed class RegressionTally
{
    private readonly SquaredLoss _lossFunction = new();
    private double _examples;
    private double _labels;
    private double _squaredLabels;

    public double AbsoluteError { get; private set; }
    public double SquaredError { get; private set; }
    public double Loss { get; private set; }

    public double Mean(double sum) => _examples > 0 ? sum / _examples : 0;

    public double RSquared
    {
        get
        {
            if (_examples == 0)
            {
                return 0;
            }

            double spread = _squaredLabels - _labels * _labels / _examples;
            return spread == 0 ? double.NaN : 1 - SquaredError / spread;
        }
    }

    public void Add(float label, float score)
    {
        double error = Math.Abs((double)label - score);
        _examples++;
        _labels += label;
        _squaredLabels += (double)label * label;
        AbsoluteError += error;
        SquaredError += error * error;
        Loss += _lossFunction.Loss(score, label);
    }
}
