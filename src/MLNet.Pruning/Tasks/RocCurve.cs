namespace MLNet.Pruning.Tasks;

/// <summary>How well scores put rows of the positive class above the others.</summary>
internal static class RocCurve
{
    /// <summary>
    /// The area under the curve: the share of the pairs of a positive and a negative row in which the positive one scores higher, ties counting half
    /// (Mann and Whitney 1947). One sort of the rows.
    /// </summary>
    /// <returns>Not a number where rows of a class are missing, or a score is not a number.</returns>
    public static double Area(Predictions predictions)
    {
        var keys = predictions.Scores.ToArray();
        if (keys.Any(float.IsNaN))
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
                (positives, negatives) = predictions.Labels[row] > 0 ? (positives + weight, negatives) : (positives, negatives + weight);
            }

            pairs += positives * (below + negatives / 2);
            (below, above) = (below + negatives, above + positives);
        }

        return pairs / (below * above);
    }
}
