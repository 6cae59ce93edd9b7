using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>
/// Stochastic dual coordinate ascent (Shalev-Shwartz and Zhang 2013) on the mean loss plus L2/2 |w|² plus L2 times the L1
/// threshold times |w|₁. The bias is one more weight, moved step by step to an unregularized one (successive
/// over-relaxation of the constraint that the duals sum to zero; Zhang 2002) as fast as the bias learning rate says.
/// </summary>
internal sealed class DualCoordinateAscent(TrainingSet rows, ISupportSdcaLoss loss)
{
    private readonly double[] _duals = new double[rows.Count];
    // The weights before soft thresholding; the same array where there is none.
    private double[] _accumulated = new double[rows.FeatureCount];
    private double _accumulatedBias;
    private double _regularizedBias;
    private double _freeBias;

    public required double L2 { get; init; }
    public required double L1Threshold { get; init; }
    public required double BiasLearningRate { get; init; }
    public required double Tolerance { get; init; }
    public required int MaxIterations { get; init; }
    public required int CheckFrequency { get; init; }

    /// <summary>Orders the rows anew in every iteration; null keeps their order.</summary>
    public required Random? Shuffle { get; init; }

    public double[] Weights { get; private set; } = new double[rows.FeatureCount];

    public double Bias { get; private set; }

    /// <summary>Runs until the duality gap is small enough and keeps the weights of the lowest loss; returns their iteration.</summary>
    public int Run()
    {
        var weights = L1Threshold == 0 ? _accumulated : new double[rows.FeatureCount];
        var invariants = new float[rows.Count];
        double scale = 1 / (L2 * rows.Count);
        for (int row = 0; row < rows.Count; row++)
        {
            double norm = LinearKernels.NormSquared(in rows.Features[row]) + (BiasLearningRate == 0 ? 1 : 0);
            invariants[row] = loss.ComputeDualUpdateInvariant((float)(norm * scale * rows.WeightAt(row)));
        }

        var order = Enumerable.Range(0, rows.Count).ToArray();
        double bestLoss = double.PositiveInfinity;
        int best = 0;
        for (int iteration = 1; iteration <= MaxIterations; iteration++)
        {
            Shuffle?.Shuffle(order);
            foreach (int row in order)
            {
                Update(row, weights, invariants[row], scale);
            }

            if (iteration % CheckFrequency != 0 && iteration != MaxIterations)
            {
                continue;
            }

            var (primal, dual) = Losses(weights);
            if (primal < bestLoss)
            {
                (bestLoss, best) = (primal, iteration);
                Weights = [.. weights];
                Bias = _regularizedBias + _freeBias;
            }

            if ((primal - dual) / primal < Tolerance)
            {
                break;
            }
        }

        return best;
    }

    private void Update(int row, double[] weights, float invariant, double scale)
    {
        ref readonly var features = ref rows.Features[row];
        double output = LinearKernels.Dot(weights, in features) + _regularizedBias + _freeBias;
        double update = loss.DualUpdate((float)output, rows.Labels[row], (float)_duals[row], invariant, maxNumThreads: 1);
        double adjustment = BiasLearningRate * L2 * (L1Threshold == 0 ? _regularizedBias : _accumulatedBias);
        update -= adjustment;
        _duals[row] += update;

        double step = scale * rows.WeightAt(row);
        _freeBias += adjustment * step;
        LinearKernels.AddMultiple(_accumulated, update * step, in features);
        if (L1Threshold == 0)
        {
            _regularizedBias += update * step;
            return;
        }

        _accumulatedBias += update * step;
        if (BiasLearningRate == 0)
        {
            _regularizedBias = SoftThreshold(_accumulatedBias);
        }

        if (features.IsDense)
        {
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = SoftThreshold(_accumulated[i]);
            }
        }
        else
        {
            foreach (int i in features.GetIndices())
            {
                weights[i] = SoftThreshold(_accumulated[i]);
            }
        }
    }

    private double SoftThreshold(double value) => Math.Sign(value) * Math.Max(0, Math.Abs(value) - L1Threshold);

    private (double Primal, double Dual) Losses(double[] weights)
    {
        double bias = _regularizedBias + _freeBias;
        double primal = 0, dual = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            double output = LinearKernels.Dot(weights, in rows.Features[row]) + bias;
            primal += rows.WeightAt(row) * loss.Loss((float)output, rows.Labels[row]);
            dual += rows.WeightAt(row) * loss.DualLoss(rows.Labels[row], (float)_duals[row]);
        }

        double squares = _regularizedBias * _regularizedBias, absolutes = Math.Abs(_regularizedBias);
        foreach (double weight in weights)
        {
            squares += weight * weight;
            absolutes += Math.Abs(weight);
        }

        double l2 = L2 / 2 * squares;
        return (primal / rows.Count + l2 + L1Threshold * L2 * absolutes, dual / rows.Count - l2 - L2 * _freeBias * _regularizedBias);
    }
}
