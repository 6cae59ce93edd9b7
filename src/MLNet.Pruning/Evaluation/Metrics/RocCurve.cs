namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>How well scores put rows of the positive class above the others.</summary>
internal static class RocCurve
{
    /// <summary>
    /// The area under the curve: the share of the pairs of a positive and a negative row in which the positive one scores higher, ties counting half
    /// (Mann and Whitney 1947). One sort of the rows.
    /// </summary>
    /// <returns>Not a number where rows of a class are missing, or a score is not a number.</returns>
    public static double Area(Predictions predictions) => Area(Array.ConvertAll(predictions.Scores.ToArray(), score => (double)score), predictions, 1);

    /// <summary>The same of one of several classes against the others, by the probability it is given.</summary>
    public static double Area(Predictions predictions, int index)
        => Area([.. Enumerable.Range(0, predictions.Rows).Select(row => LogProbability(predictions.ScoresOf(row), index))], predictions, index);

    /// <summary>The logarithm of the softmax, summed from the least on: rows with the same scores in another order tie.</summary>
    private static double LogProbability(ReadOnlySpan<float> scores, int index)
    {
        var sorted = scores.ToArray();
        Array.Sort(sorted);
        double largest = sorted[^1], sum = 0;
        foreach (var score in sorted)
        {
            sum += Math.Exp(score - largest);
        }

        return scores[index] - largest - Math.Log(sum);
    }

    private static double Area(double[] keys, Predictions predictions, int positive)
    {
        if (keys.Any(double.IsNaN))
        {
            return double.NaN;
        }

        int[] order = [.. Enumerable.Range(0, keys.Length)];
        Array.Sort(keys, order);
        double pairs = 0, below = 0, above = 0;
        for (int start = 0, end; start < keys.Length; start = end)
        {
            double positives = 0, negatives = 0;
            for (end = start; end < keys.Length && keys[end] == keys[start]; end++)
            {
                var (row, weight) = (order[end], predictions.WeightOf(order[end]));
                (positives, negatives) = (int)predictions.Labels[row] == positive ? (positives + weight, negatives) : (positives, negatives + weight);
            }

            pairs += positives * (below + negatives / 2);
            (below, above) = (below + negatives, above + positives);
        }

        return pairs / (below * above);
    }
}
