using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Pipeline.Columns;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>
/// Reads the ensembles of FastTree, FastForest and LightGBM. LightGBM's are FastTree's once they are trained, and the library needs no package of it: its
/// models are told by their names.
/// </summary>
internal static class TreeReader
{
    /// <summary>The step of a fitted model that scores with trees, and what it reads, without the classes it tells apart.</summary>
    /// <exception cref="ArgumentException">There is none, or more than one.</exception>
    /// <exception cref="NotSupportedException">Its trees cannot be pruned.</exception>
    public static (ITransformer Step, TreesState State) Read(ITransformer model)
    {
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        (ITransformer Step, TreeModel Trees)[] found = [.. steps.Select(step => (step, TryRead(step))).Where(pair => pair.Item2 is not null)
            .Select(pair => (pair.step, pair.Item2!))];
        return found switch
        {
            [var (step, trees)] => (step, step is PrunedTreesTransformer pruned ? pruned.State
                : new(trees, ((ISingleFeaturePredictionTransformer<object>)step).FeatureColumnName)),
            [] => throw new ArgumentException($"There are no trees in the model: it is made of {string.Join(", ", steps.Select(step => step.GetType().Name))}. "
                + "PruneTrees takes a model of FastTree, FastForest or LightGBM: binary, multiclass or regression.", nameof(model)),
            _ => throw new ArgumentException($"The model has {found.Length} ensembles of trees: give PruneTrees the one to prune.", nameof(model)),
        };
    }

    /// <summary>The trees of one step; null where it has none.</summary>
    /// <exception cref="NotSupportedException">It has trees that cannot be pruned.</exception>
    public static TreeModel? TryRead(ITransformer step) => step switch
    {
        PrunedTreesTransformer pruned => pruned.Trees,
        ISingleFeaturePredictionTransformer<object> prediction => TryRead(prediction),
        _ => null,
    };

    private static TreeModel? TryRead(ISingleFeaturePredictionTransformer<object> step)
    {
        var size = step.FeatureColumnType is VectorDataViewType vector ? vector.Size : 0;
        (object[] models, ClassScores? classes) = step.Model is OneVersusAllModelParameters all ? TreeInternals.Classes(all) : ([step.Model], null);
        if (models.All(model => Own(model).Trees is not TreeEnsembleModelParameters))
        {
            return null;
        }

        var reader = new EnsembleReader(size);
        var read = new TreeModel(reader.Complete([.. models.Select(model => Read(reader, model, classes))]), classes);
        return read.Problem() is { } problem ? throw new NotSupportedException($"The model cannot be pruned: {problem}.") : read;
    }

    private static (object Trees, ICalibrator? Calibrator) Own(object model)
        => model is CalibratedModelParametersBase calibrated ? (calibrated.SubModel, calibrated.Calibrator) : (model, null);

    private static DecisionTreeEnsemble Read(EnsembleReader reader, object predictor, ClassScores? classes)
    {
        var (model, calibrator) = Own(predictor);
        var task = model switch
        {
            FastTreeBinaryModelParameters or FastForestBinaryModelParameters => LearningTask.Binary,
            FastTreeRegressionModelParameters or FastForestRegressionModelParameters => LearningTask.Regression,
            _ => model.GetType().FullName switch
            {
                "Microsoft.ML.Trainers.LightGbm.LightGbmBinaryModelParameters" => LearningTask.Binary,
                "Microsoft.ML.Trainers.LightGbm.LightGbmRegressionModelParameters" => LearningTask.Regression,
                _ => throw new NotSupportedException($"{model.GetType().Name} makes something else of its trees' sum than a score of classes or of regression, "
                    + "and cannot be pruned."),
            },
        };
        var calibration = (classes, calibrator) switch
        {
            // The softmax looks past the calibration of each class: its logits are the scores themselves.
            (ClassScores.Softmax, _) => new PlattScaling(-1, 0),
            (_, null) => null,
            (_, PlattCalibrator platt) => new PlattScaling(platt.Slope, platt.Offset),
            _ => throw new NotSupportedException($"The model's probabilities come from a {calibrator.GetType().Name}; those of a {nameof(PlattCalibrator)} "
                + "can be pruned."),
        };
        return reader.Read(model, task, calibration);
    }
}
