using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Pipeline.Columns;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers.FastTree;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>Reads the ensembles of FastTree and FastForest through their public members.</summary>
internal static class FastTreeReader
{
    /// <summary>The step of a fitted model that scores with trees, and what it reads.</summary>
    /// <exception cref="ArgumentException">There is none, or more than one.</exception>
    /// <exception cref="NotSupportedException">Its trees cannot be pruned.</exception>
    public static (ITransformer Step, TreesState State) Read(ITransformer model)
    {
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        (ITransformer Step, DecisionTreeEnsemble Trees)[] found = [.. steps.Select(step => (step, TryRead(step))).Where(pair => pair.Item2 is not null)
            .Select(pair => (pair.step, pair.Item2!))];
        return found switch
        {
            [var (step, trees)] => (step, new(trees, step is PrunedTreesTransformer pruned ? pruned.FeatureColumnName
                : ((ISingleFeaturePredictionTransformer<object>)step).FeatureColumnName)),
            [] => throw new ArgumentException($"There are no trees in the model: it is made of {string.Join(", ", steps.Select(step => step.GetType().Name))}. "
                + "PruneTrees takes a model of FastTree or FastForest, binary or regression.", nameof(model)),
            _ => throw new ArgumentException($"The model has {found.Length} ensembles of trees: give PruneTrees the one to prune.", nameof(model)),
        };
    }

    /// <summary>The ensemble of one step; null where it has no trees.</summary>
    /// <exception cref="NotSupportedException">It has trees that cannot be pruned.</exception>
    public static DecisionTreeEnsemble? TryRead(ITransformer step) => step switch
    {
        PrunedTreesTransformer pruned => pruned.Ensemble,
        ISingleFeaturePredictionTransformer<object> prediction => TryRead(prediction),
        _ => null,
    };

    private static DecisionTreeEnsemble? TryRead(ISingleFeaturePredictionTransformer<object> step)
    {
        var (model, calibrator) = step.Model is CalibratedModelParametersBase calibrated ? (calibrated.SubModel, calibrated.Calibrator) : (step.Model, null);
        if (model is not TreeEnsembleModelParameters)
        {
            return null;
        }

        var task = model is FastTreeBinaryModelParameters or FastForestBinaryModelParameters ? LearningTask.Binary
            : model is FastTreeRegressionModelParameters or FastForestRegressionModelParameters ? LearningTask.Regression
            : throw new NotSupportedException($"{model.GetType().Name} makes something else of its trees' sum than a score of binary classification or of "
                + "regression, and cannot be pruned.");
        var calibration = calibrator switch
        {
            null => null,
            PlattCalibrator platt => new PlattScaling(platt.Slope, platt.Offset),
            _ => throw new NotSupportedException($"The model's probabilities come from a {calibrator.GetType().Name}; those of a {nameof(PlattCalibrator)} "
                + "can be pruned."),
        };
        var size = step.FeatureColumnType is Microsoft.ML.Data.VectorDataViewType vector ? vector.Size : 0;
        return model switch
        {
            TreeEnsembleModelParametersBasedOnRegressionTree trees
                => Read(trees.TrainedTreeEnsemble.Trees, trees.TrainedTreeEnsemble.TreeWeights, trees.TrainedTreeEnsemble.Bias, size, task, calibration,
                    isMean: false, 1),
            TreeEnsembleModelParametersBasedOnQuantileRegressionTree trees
                => Read(trees.TrainedTreeEnsemble.Trees, trees.TrainedTreeEnsemble.TreeWeights, trees.TrainedTreeEnsemble.Bias, size, task, calibration,
                    isMean: true,
                    !task.IsClassification ? trees.TrainedTreeEnsemble.Trees.Count : 1),
            _ => throw new NotSupportedException($"{model.GetType().Name} has trees of a kind that is not known."),
        };
    }

    private static DecisionTreeEnsemble Read(IReadOnlyList<RegressionTreeBase> trees, IReadOnlyList<double> weights, double bias, int features,
        LearningTask task,
        PlattScaling? calibration, bool isMean, double divisor)
    {
        var sets = new List<ImmutableArray<int>>();
        DecisionTree[] read = [.. trees.Select((tree, i) => Read(tree, weights[i] / divisor, features, sets))];
        var ensemble = new DecisionTreeEnsemble
        {
            Trees = [],
            Offset = bias / divisor,
            FeatureCount = features,
            Sets = [.. sets],
            IsMean = isMean,
            Task = task,
            Calibration = calibration,
            PositiveScore = isMean ? trees.Count : 1,
        }.WithTrees(read);
        return ensemble.Problem() is { } problem ? throw new NotSupportedException($"The model cannot be pruned: {problem}.") : ensemble;
    }

    private static DecisionTree Read(RegressionTreeBase tree, double weight, int features, List<ImmutableArray<int>> sets)
    {
        var (splits, thresholds) = (tree.NumericalSplitFeatureIndexes.ToArray(), tree.NumericalSplitThresholds.ToArray());
        for (var node = 0; node < splits.Length; node++)
        {
            if (tree.CategoricalSplitFlags[node])
            {
                ImmutableArray<int> set = [.. tree.GetCategoricalSplitFeaturesAt(node)];
                var known = sets.FindIndex(other => other.SequenceEqual(set));
                if (known < 0)
                {
                    known = sets.Count;
                    sets.Add(set);
                }

                (splits[node], thresholds[node]) = (features + known, 0.5f);
            }
        }

        return new([.. tree.LeftChild], [.. tree.RightChild], splits, thresholds, [.. tree.LeafValues.Select(value => value * weight)]);
    }
}
