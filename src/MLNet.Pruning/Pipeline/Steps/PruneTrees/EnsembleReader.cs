using MLNet.Pruning.Compression.Trees.Ensembles;
using Microsoft.ML.Trainers.FastTree;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>Reads ensembles over the same features, and gathers the columns that their splits read beyond these.</summary>
/// <param name="features">Numbers in a row of the feature column.</param>
internal sealed class EnsembleReader(int features)
{
    private readonly List<ImmutableArray<int>> _sets = [];
    private readonly List<int> _lows = [];

    /// <param name="model">The trees, which are those of a sum, or of a forest whose trees each predict the whole.</param>
    /// <param name="task">What their sum means, binary or regression.</param>
    /// <param name="calibration">The probability that a score stands for; null for none.</param>
    /// <returns>The ensemble, without the columns that <see cref="Complete"/> gives to all that were read.</returns>
    public DecisionTreeEnsemble Read(object model, LearningTask task, PlattScaling? calibration) => model switch
    {
        TreeEnsembleModelParametersBasedOnRegressionTree { TrainedTreeEnsemble: var trees }
            => Read(trees.Trees, trees.TreeWeights, trees.Bias, task, calibration, isMean: false, 1),
        TreeEnsembleModelParametersBasedOnQuantileRegressionTree { TrainedTreeEnsemble: var trees }
            => Read(trees.Trees, trees.TreeWeights, trees.Bias, task, calibration, isMean: true, !task.IsClassification ? trees.Trees.Count : 1),
        _ => throw new NotSupportedException($"{model.GetType().Name} has trees of a kind that is not known."),
    };

    /// <summary>The ensembles with all columns that any of them reads.</summary>
    public ImmutableArray<DecisionTreeEnsemble> Complete(DecisionTreeEnsemble[] ensembles)
    {
        int Column(int split) => split >= 0 ? split : features + _sets.Count + _lows.IndexOf(~split);
        return [.. ensembles.Select(ensemble => ensemble
            with { Sets = [.. _sets], Lows = [.. _lows], Trees = [.. ensemble.Trees.Select(tree => tree.WithFeatures(Column))] })];
    }

    private DecisionTreeEnsemble Read(IReadOnlyList<RegressionTreeBase> trees, IReadOnlyList<double> weights, double bias, LearningTask task,
        PlattScaling? calibration, bool isMean, double divisor)
        => new DecisionTreeEnsemble
        {
            Trees = [],
            Offset = bias / divisor,
            FeatureCount = features,
            IsMean = isMean,
            Task = task,
            Calibration = calibration,
            PositiveScore = isMean ? trees.Count : 1,
        }.WithTrees(trees.Select((tree, i) => Read(tree, weights[i] / divisor)));

    /// <summary>A split that reads a low has the complement of the feature until all of them are known.</summary>
    private DecisionTree Read(RegressionTreeBase tree, double weight)
    {
        var (splits, thresholds) = (tree.NumericalSplitFeatureIndexes.ToArray(), tree.NumericalSplitThresholds.ToArray());
        var missing = TreeInternals.MissingValues(tree);
        for (var node = 0; node < splits.Length; node++)
        {
            if (tree.CategoricalSplitFlags[node])
            {
                (splits[node], thresholds[node]) = (features + NumberOf(_sets, set => set.SequenceEqual(tree.GetCategoricalSplitFeaturesAt(node)),
                    () => [.. tree.GetCategoricalSplitFeaturesAt(node)]), 0.5f);
            }
            else if (missing is not null && missing[node] <= thresholds[node])
            {
                var feature = splits[node];
                NumberOf(_lows, low => low == feature, () => feature);
                splits[node] = ~feature;
            }
        }

        return new([.. tree.LeftChild], [.. tree.RightChild], splits, thresholds, [.. tree.LeafValues.Select(value => value * weight)]);
    }

    private static int NumberOf<T>(List<T> list, Predicate<T> isIt, Func<T> create)
    {
        var number = list.FindIndex(isIt);
        if (number < 0)
        {
            number = list.Count;
            list.Add(create());
        }

        return number;
    }
}
