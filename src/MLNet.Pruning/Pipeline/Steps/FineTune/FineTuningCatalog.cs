using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Fine-tuning networks in the catalog of transforms.</summary>
public static class FineTuningCatalog
{
    /// <summary>Trains the network of the step before further; pruned weights stay zero.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="learningRate">Step size; by default that of the network's training, like all other settings.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx")
    ///     .Append(ml.Transforms.Prune(0.8))
    ///     .Append(ml.Transforms.FineTune(epochs: 5, learningRate: 1e-4));
    /// </code>
    /// </example>
    public static FineTuneEstimator FineTune(this TransformsCatalog catalog, int epochs = 10, double? learningRate = null)
        => new(CatalogEnvironment.Of(catalog), epochs, learningRate);

    /// <inheritdoc cref="FineTune(TransformsCatalog, int, double?)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How the network is trained.</param>
    /// <example>
    /// <code>
    /// var tuning = ml.Transforms.FineTune(new TrainingOptions
    /// {
    ///     Epochs = 30,
    ///     Optimizer = Optimizer.Sgd(momentum: 0.9),
    ///     LearningRate = 0.01,
    ///     EarlyStoppingPatience = 5,
    /// });
    /// </code>
    /// </example>
    public static FineTuneEstimator FineTune(this TransformsCatalog catalog, TrainingOptions options) => new(CatalogEnvironment.Of(catalog), options);
}
