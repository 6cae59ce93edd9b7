using System.Collections.Immutable;

namespace Microsoft.ML.Data;

/// <summary>Counts and sums from which every multiclass metric follows.</summary>
internal sealed class MulticlassTally(int classCount)
{
    /// <summary>Probabilities below it count as it in the log-loss; a label unseen in training counts as exactly it.</summary>
    private const float Epsilon = 1e-15f;

    private readonly double[] _labelCounts = new double[classCount];
    private readonly double[] _labelLogLoss = new double[classCount];
    private readonly double[] _ranks = new double[classCount + 1];
    private double _examples;
    private double _logLoss;

    public double[][] Counts { get; } = [.. Enumerable.Range(0, classCount).Select(_ => new double[classCount])];

    public double MicroAccuracy => _examples > 0 ? _ranks[0] / _examples : 0;

    public double MacroAccuracy
    {
        get
        {
            var present = Enumerable.Range(0, classCount).Where(i => _labelCounts[i] > 0).ToList();
            return present.Count > 0 ? present.Average(i => Counts[i][i] / _labelCounts[i]) : 0;
        }
    }

    public double LogLoss => _examples > 0 ? _logLoss / _examples : 0;

    /// <summary>How much of the entropy of the label distribution the predictions explain.</summary>
    public double LogLossReduction
    {
        get
        {
            double entropy = 0;
            foreach (double count in _labelCounts)
            {
                if (count != 0)
                {
                    entropy += count * Math.Log(count / _examples);
                }
            }

            entropy /= -_examples;
            return (entropy - LogLoss) / entropy;
        }
    }

    public ImmutableArray<double> PerClassLogLoss => [.. _labelLogLoss.Select((loss, i) => _labelCounts[i] > 0 ? loss / _labelCounts[i] : 0)];

    public ImmutableArray<double> TopKAccuracies(int k)
    {
        double sum = 0;
        return [.. _ranks.Take(k).Select(count => sum += count / _examples)];
    }

    public void Add(int label, ReadOnlySpan<float> scores)
    {
        bool known = label < scores.Length;
        double logLoss = known ? -Math.Log(Math.Min(1, Math.Max(Epsilon, scores[label]))) : -Math.Log(Epsilon);

        // The rank of the true label; of equal scores the first one ranks first.
        float own = known ? scores[label] : 0;
        int rank = 0, assigned = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] > own || (scores[i] == own && i < label))
            {
                rank++;
            }

            if (scores[i] > scores[assigned])
            {
                assigned = i;
            }
        }

        _examples++;
        _logLoss += logLoss;
        _ranks[rank]++;
        if (!known)
        {
            return;
        }

        _labelCounts[label]++;
        _labelLogLoss[label] += logLoss;
        Counts[label][rank == 0 ? label : assigned]++;
    }
}
