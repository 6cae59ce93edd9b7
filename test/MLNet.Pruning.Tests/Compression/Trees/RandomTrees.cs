using System.Collections.Immutable;
using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Ensembles of trees grown at random, and rows for them.</summary>
internal static class RandomTrees
{
    public static DecisionTree Tree(Random random, int features, int nodes, bool chain = false)
    {
        int[] left = new int[nodes], right = new int[nodes];
        // Each new node takes the place of a leaf: any, or the last one.
        List<(int[] Side, int Parent)> open = [];
        for (var node = 0; node < nodes; node++)
        {
            if (node > 0)
            {
                var place = chain ? open.Count - 1 : random.Next(open.Count);
                open[place].Side[open[place].Parent] = node;
                open.RemoveAt(place);
            }

            open.Add((left, node));
            open.Add((right, node));
        }

        for (var leaf = 0; leaf < open.Count; leaf++)
        {
            open[leaf].Side[open[leaf].Parent] = ~leaf;
        }

        return new(left, right, [.. Enumerable.Range(0, nodes).Select(_ => random.Next(features))],
            [.. Enumerable.Range(0, nodes).Select(_ => MathF.Round(random.NextSingle() * 8) / 2)],
            [.. Enumerable.Range(0, nodes + 1).Select(_ => random.NextDouble() * 2 - 1)]);
    }

    /// <summary>Trees over four features and a set of two of them.</summary>
    public static DecisionTreeEnsemble Ensemble(Random random, int trees = 12, LearningTask? task = null) => new()
    {
        FeatureCount = 4,
        Sets = [[1, 3]],
        Trees = [.. Enumerable.Range(0, trees).Select(i => WithSet(Tree(random, 4, 1 + random.Next(14), chain: i % 4 == 0)))],
        Offset = 0.25,
        IsMean = false,
        Task = task ?? LearningTask.Regression,
        Calibration = task == LearningTask.Binary ? new(-0.7, 0.1) : null,
    };

    public static TreeRows Rows(DecisionTreeEnsemble ensemble, Random random, int count, bool missing = false, CancellationToken cancellation = default)
    {
        var values = new float[count * ensemble.Width];
        for (var row = 0; row < count; row++)
        {
            var span = values.AsSpan(row * ensemble.Width, ensemble.Width);
            for (var i = 0; i < ensemble.FeatureCount; i++)
            {
                span[i] = missing && random.Next(4) == 0 ? Special(random) : MathF.Round(random.NextSingle() * 16) / 4 - 0.5f;
            }

            ensemble.CompleteRow(span);
        }

        return new(values, ensemble.Width, [.. Enumerable.Range(0, count)
            .Select(_ => ensemble.Task == LearningTask.Binary ? random.Next(2) : random.NextSingle() * 4)]) { CancellationToken = cancellation };
    }

    private static DecisionTree WithSet(DecisionTree tree)
    {
        // The last node of every tree is a categorical split.
        var (features, thresholds) = (tree.Features.ToArray(), tree.Thresholds.ToArray());
        (features[^1], thresholds[^1]) = (4, 0.5f);
        return new(tree.Left, tree.Right, features, thresholds, tree.LeafValues);
    }

    private static float Special(Random random) => random.Next(3) switch
    {
        0 => float.NaN,
        1 => float.PositiveInfinity,
        _ => float.NegativeInfinity,
    };
}
