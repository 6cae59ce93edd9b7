namespace Microsoft.ML.Data;

/// <summary>Areas under the curves that a ranking by score draws.</summary>
internal static class RankingCurves
{
    /// <summary>The probability that a positive example scores higher than a negative one; ties count half.</summary>
    public static double AreaUnderRoc(List<float> positives, List<float> negatives)
    {
        if (positives.Count == 0)
        {
            throw new ArgumentOutOfRangeException("PosSample", "AUC is not defined when there is no positive class in the data");
        }

        if (negatives.Count == 0)
        {
            throw new ArgumentOutOfRangeException("NegSample", "AUC is not defined when there is no negative class in the data");
        }

        positives.Sort();
        negatives.Sort();
        double wins = 0;
        int below = 0, upTo = 0;
        foreach (float score in positives)
        {
            while (below < negatives.Count && negatives[below] < score)
            {
                below++;
            }

            upTo = Math.Max(upTo, below);
            while (upTo < negatives.Count && negatives[upTo] <= score)
            {
                upTo++;
            }

            wins += below + 0.5 * (upTo - below);
        }

        return wins / ((double)positives.Count * negatives.Count);
    }

    /// <summary>
    /// The lower trapezoid estimator of the area under the precision-recall curve (Boyd, Eng and Page 2013), thresholds
    /// going down one example at a time.
    /// </summary>
    public static double AreaUnderPrecisionRecall(List<(float Score, bool Positive)> examples)
    {
        int positives = examples.Count(e => e.Positive);
        double area = 0, precision = 1;
        int truePositives = 0, falsePositives = 0;
        foreach (var (_, positive) in examples.OrderByDescending(e => e.Score))
        {
            if (!positive)
            {
                falsePositives++;
                precision = (double)truePositives / (truePositives + falsePositives);
                continue;
            }

            truePositives++;
            double reached = (double)truePositives / (truePositives + falsePositives);
            area += (precision + reached) / 2 / positives;
            precision = reached;
        }

        return area;
    }
}
