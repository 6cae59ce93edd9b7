using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Pruning to a budget.</summary>
public static class AutoPruneCatalog
{
    /// <summary>Prunes the network of the step before to a budget, each layer as far as serves it best.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="budget">
    /// What the network may cost, how far its metric may fall, or both, such as <c>Budget.MultiplyAdds(100_000) + Budget.MetricLoss(0.01)</c>. Where it
    /// bounds the loss of metric, the smallest network within it is looked for; where it bounds costs alone, the one with the best validation metric.
    /// </param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Unit"/>, which is removed.</param>
    /// <param name="strategy">How the sparsities are looked for; by default <see cref="SearchStrategy.SensitivityGuided"/>.</param>
    /// <param name="fineTuneEpochs">Epochs of fine-tuning of the network chosen.</param>
    /// <exception cref="ArgumentException">The granularity has no share of a layer.</exception>
    /// <example>
    /// <code>
    /// // The smallest network that loses at most one point of accuracy.
    /// var model = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.AutoPrune(Budget.MetricLoss(0.01))).Fit(data);
    /// Console.WriteLine(model.LastTransformer.Report);
    /// </code>
    /// </example>
    public static AutoPruneEstimator AutoPrune(this TransformsCatalog catalog, Budget budget, Granularity? granularity = null, SearchStrategy? strategy = null,
        int fineTuneEpochs = 5)
    {
        ArgumentNullException.ThrowIfNull(budget);
        return catalog.AutoPrune(new AutoPruneOptions
        {
            Budget = budget,
            Granularity = granularity ?? Granularity.Unit,
            Strategy = strategy ?? SearchStrategy.SensitivityGuided,
            FineTuneEpochs = fineTuneEpochs,
        });
    }

    /// <inheritdoc cref="AutoPrune(TransformsCatalog, Budget, Granularity, SearchStrategy, int)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How the network is pruned.</param>
    /// <example>
    /// <code>
    /// // A search that goes on where it was stopped.
    /// var search = ml.Transforms.AutoPrune(new AutoPruneOptions
    /// {
    ///     Budget = Budget.MultiplyAdds(1_000_000) + Budget.MetricLoss(0.01),
    ///     Strategy = SearchStrategy.Evolutionary(),
    ///     StatePath = "search.json",
    ///     TimeLimit = TimeSpan.FromMinutes(30),
    /// });
    /// </code>
    /// </example>
    public static AutoPruneEstimator AutoPrune(this TransformsCatalog catalog, AutoPruneOptions options) => new(CatalogEnvironment.Of(catalog), options);
}
