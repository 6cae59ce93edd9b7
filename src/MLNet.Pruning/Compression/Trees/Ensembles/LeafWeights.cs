namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>What the leaves of trees weigh, by the rows in them.</summary>
internal static class LeafWeights
{
    /// <summary>How many rows end in each leaf.</summary>
    public static double[] Hits(DecisionTree tree, TreeRows rows) => Sums(tree, rows, _ => 1);

    /// <summary>What the rows in each leaf weigh.</summary>
    public static double[] Of(DecisionTree tree, TreeRows rows) => Sums(tree, rows, rows.WeightOf);

    /// <summary>What the rows in each leaf weigh times the second derivatives of their losses, tree by tree.</summary>
    public static double[][] Of(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        double[] weights = [.. rows.Score(ensemble).Select((score, row) => loss.Derivatives(score, rows, row).Second)];
        return [.. ensemble.Trees.Select(tree => Sums(tree, rows, row => weights[row]))];
    }

    /// <summary>The mean value of the leaves below each node, as they weigh; as they are where none weighs anything.</summary>
    public static double[] Means(DecisionTree tree, double[] weights)
        => [.. tree.Fold(leaf => new Mean(weights[leaf], weights[leaf] * tree.LeafValues[leaf], 1, tree.LeafValues[leaf]),
            (_, left, right) => new Mean(left.Weight + right.Weight, left.Sum + right.Sum, left.Count + right.Count, left.Plain + right.Plain))
            .Select(mean => mean.Weight > 0 ? mean.Sum / mean.Weight : mean.Plain / mean.Count)];

    private static double[] Sums(DecisionTree tree, TreeRows rows, Func<int, double> weight)
    {
        var sums = new double[tree.LeafValues.Length];
        var leaves = rows.LeavesOf(tree);
        for (var row = 0; row < leaves.Length; row++)
        {
            sums[leaves[row]] += weight(row);
        }

        return sums;
    }

    private readonly record struct Mean(double Weight, double Sum, int Count, double Plain);
}
