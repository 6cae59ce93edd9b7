using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Pruning of FastTree's, FastForest's and LightGBM's ensembles in the catalogs of <see cref="MLContext"/>.</summary>
public static class TreePruningCatalog
{
    /// <summary>Fits a trainer of trees on the rows that are not held back to choose on, and prunes what it gives.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="trainer">FastTree, FastForest or LightGBM, binary or regression; LightGBM, or one-versus-all of the others, for several classes.</param>
    /// <param name="budget">How far; by default as far as 0.005 of the metric allow.</param>
    /// <param name="method">In which order.</param>
    /// <param name="labelColumnName">A key (several classes), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression).</param>
    /// <example>
    /// <code>
    /// var model = ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 500)).Fit(data);
    /// Console.WriteLine(model.Report);
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, IEstimator<ISingleFeaturePredictionTransformer<object>> trainer,
        Budget? budget = null, TreePruningMethod method = TreePruningMethod.ForwardSelection, string labelColumnName = "Label")
        => catalog.PruneTrees(trainer, Options(budget, method, labelColumnName));

    /// <inheritdoc cref="PruneTrees(TransformsCatalog, IEstimator{ISingleFeaturePredictionTransformer{object}}, Budget?, TreePruningMethod, string)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="trainer">FastTree, FastForest or LightGBM, binary or regression; LightGBM, or one-versus-all of the others, for several classes.</param>
    /// <param name="options">How the trees are pruned.</param>
    /// <example>
    /// <code>
    /// var pruning = ml.Transforms.PruneTrees(ml.Regression.Trainers.FastTree(), new TreePruningOptions
    /// {
    ///     Budget = Budget.Trees(20), Method = TreePruningMethod.ForwardSelection, Metric = Metric.MeanAbsoluteError,
    /// });
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, IEstimator<ISingleFeaturePredictionTransformer<object>> trainer,
        TreePruningOptions options)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        return new(CatalogEnvironment.Of(catalog), options, trainer);
    }

    /// <summary>Prunes the trees of a fitted model. The rows that Fit is given should be others than the model was fitted on.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="model">A fitted FastTree, FastForest, LightGBM or one-versus-all step, or a chain with one in it, of which only that step is taken.</param>
    /// <param name="budget">How far; by default as far as 0.005 of the metric allow.</param>
    /// <param name="method">In which order.</param>
    /// <param name="labelColumnName">A key (several classes), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression).</param>
    /// <exception cref="ArgumentException">The model has no trees.</exception>
    /// <exception cref="NotSupportedException">Its trees cannot be pruned; the message says why.</exception>
    /// <example>
    /// <code>
    /// var model = ml.Regression.Trainers.FastForest().Fit(data);
    /// var pruned = ml.Transforms.PruneTrees(model, Budget.Nodes(2000)).Fit(test);
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, ITransformer model, Budget? budget = null,
        TreePruningMethod method = TreePruningMethod.ForwardSelection, string labelColumnName = "Label")
        => catalog.PruneTrees(model, Options(budget, method, labelColumnName));

    /// <inheritdoc cref="PruneTrees(TransformsCatalog, ITransformer, Budget?, TreePruningMethod, string)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="model">A fitted FastTree, FastForest, LightGBM or one-versus-all step, or a chain with one in it, of which only that step is taken.</param>
    /// <param name="options">How the trees are pruned.</param>
    /// <example>
    /// <code>
    /// var pruned = ml.Transforms.PruneTrees(model, new TreePruningOptions { Budget = Budget.MetricLoss(0.002), LabelColumnName = "Churned" }).Fit(test);
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, ITransformer model, TreePruningOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new(CatalogEnvironment.Of(catalog), options, model: model);
    }

    /// <summary>Prunes the trees of the PruneTrees step before, by another method or further.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="budget">How far.</param>
    /// <param name="method">In which order.</param>
    /// <param name="labelColumnName">A key (several classes), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression).</param>
    /// <example>
    /// <code>
    /// // First to 100 trees by which of them help, then their leaves.
    /// var pipeline = ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 500), Budget.Trees(100))
    ///     .Append(ml.Transforms.PruneTrees(Budget.Nodes(500), TreePruningMethod.CostComplexity));
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, Budget budget,
        TreePruningMethod method = TreePruningMethod.ForwardSelection, string labelColumnName = "Label")
    {
        ArgumentNullException.ThrowIfNull(budget);
        return catalog.PruneTrees(Options(budget, method, labelColumnName));
    }

    /// <inheritdoc cref="PruneTrees(TransformsCatalog, Budget, TreePruningMethod, string)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How the trees are pruned.</param>
    /// <example>
    /// <code>
    /// var further = ml.Transforms.PruneTrees(new TreePruningOptions { Budget = Budget.Nodes(500), Method = TreePruningMethod.ReducedError });
    /// </code>
    /// </example>
    public static PruneTreesEstimator PruneTrees(this TransformsCatalog catalog, TreePruningOptions options) => new(CatalogEnvironment.Of(catalog), options);

    private static TreePruningOptions Options(Budget? budget, TreePruningMethod method, string labelColumnName)
    {
        ArgumentException.ThrowIfNullOrEmpty(labelColumnName);
        var options = new TreePruningOptions { Method = method, LabelColumnName = labelColumnName };
        return budget is null ? options : options with { Budget = budget };
    }
}
