using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Pruning networks in the catalog of transforms.</summary>
public static class PruningCatalog
{
    /// <summary>
    /// Prunes the network of the step before. Where nothing is fine-tuned, <see cref="Recovery.Recalibrate"/> makes up for each step;
    /// <see cref="PruningOptions.Recovery"/> says what else may.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="sparsity">Share of the weights or structures in scope that are zero afterwards, or gone where structures are removed, in [0, 1).</param>
    /// <param name="importance">How important a weight or structure is; by default <see cref="Importance.L1"/>.</param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <param name="schedule">How fast; by default <see cref="Schedule.OneShot"/>.</param>
    /// <param name="fineTuneEpochs">Epochs of fine-tuning after each step; by default none for one step, otherwise 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sparsity lies outside [0, 1).</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(784, 300, 100, 10)))
    ///     .Append(ml.Transforms.Prune(0.9, schedule: Schedule.Cubic(10)));
    /// var model = pipeline.Fit(data);
    /// Console.WriteLine(model.LastTransformer.Report);
    /// </code>
    /// </example>
    public static PruneEstimator Prune(this TransformsCatalog catalog, double sparsity, Importance? importance = null, Granularity? granularity = null,
        Scope? scope = null, Schedule? schedule = null, int? fineTuneEpochs = null)
    {
        if (!(sparsity is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "The sparsity lies in [0, 1).");
        }

        return catalog.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(sparsity),
            Importance = importance ?? Importance.L1,
            Granularity = granularity ?? Granularity.Weight,
            Scope = scope ?? Scope.Network,
            Schedule = schedule ?? Schedule.OneShot,
            FineTuneEpochs = fineTuneEpochs,
        });
    }

    /// <inheritdoc cref="Prune(TransformsCatalog, double, Importance, Granularity, Scope, Schedule, int?)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How the network is pruned.</param>
    /// <example>
    /// <code>
    /// // Half of the channels of each convolution go; what is left is smaller and faster.
    /// var pruning = ml.Transforms.Prune(new PruningOptions
    /// {
    ///     Amount = Amount.Fraction(0.5),
    ///     Granularity = Granularity.Filter,
    ///     Importance = Importance.Taylor(),
    ///     Scope = Scope.Layer,
    ///     Schedule = Schedule.Linear(5),
    ///     FineTuneEpochs = 2,
    ///     Tolerance = 0.01,
    /// });
    /// </code>
    /// </example>
    public static PruneEstimator Prune(this TransformsCatalog catalog, PruningOptions options) => new(CatalogEnvironment.Of(catalog), options);
}
