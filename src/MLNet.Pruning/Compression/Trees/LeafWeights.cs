namespace MLNet.Pruning;

/// <summary>What the leaves of trees weigh: the training rows in them, each by the second derivative of its loss.</summary>
internal static class LeafWeights
{
    public static double[] Hits(DecisionTree tree, TreeRows rows)
    {
        var hits = new double[tree.LeafValues.Length];
        foreach (var leaf in rows.LeavesOf(tree))
        {
            hits[leaf]++;
        }

        return hits;
    }

    public static double[][] Of(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        var scores = rows.Score(ensemble);
        var weights = scores.Select((score, row) => loss.Derivatives(score, rows.Labels[row]).Second).ToArray();
        return [.. ensemble.Trees.Select(tree =>
        {
            var sums = new double[tree.LeafValues.Length];
            var leaves = rows.LeavesOf(tree);
            for (var row = 0; row < leaves.Length; row++)
            {
                sums[leaves[row]] += weights[row];
            }

            return sums;
        })];
    }

    /// <summary>The mean value of the leaves below each node, as they weigh; as they are where none weighs anything.</summary>
    public static double[] Means(DecisionTree tree, double[] weights)
        => [.. tree.Fold(leaf => new Mean(weights[leaf], weights[leaf] * tree.LeafValues[leaf], 1, tree.LeafValues[leaf]),
            (_, left, right) => new Mean(left.Weight + right.Weight, left.Sum + right.Sum, left.Count + right.Count, left.Plain + right.Plain))
            .Select(mean => mean.Weight > 0 ? mean.Sum / mean.Weight : mean.Plain / mean.Count)];

    private readonly record struct Mean(double Weight, double Sum, int Count, double Plain);
}
