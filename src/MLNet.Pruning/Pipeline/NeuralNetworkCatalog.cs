using MLNet.Pruning;

namespace Microsoft.ML;

/// <summary>Neural networks and their pruning in the catalogs of <see cref="MLContext"/>.</summary>
public static class NeuralNetworkCatalog
{
    /// <summary>Trains a network that tells classes apart.</summary>
    /// <param name="catalog">The trainers of multiclass classification.</param>
    /// <param name="network">The network, with as many outputs as there are classes.</param>
    /// <param name="labelColumnName">A key.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(Options(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(MulticlassClassificationCatalog.MulticlassClassificationTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of multiclass classification.</param>
    /// <param name="options">The network and how it is trained.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, NeuralNetworkTrainer.Options options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Multiclass, options);

    /// <summary>Trains a network that tells two sides apart.</summary>
    /// <param name="catalog">The trainers of binary classification.</param>
    /// <param name="network">The network, with one output.</param>
    /// <param name="labelColumnName">A <see cref="bool"/>.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(Options(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(BinaryClassificationCatalog.BinaryClassificationTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of binary classification.</param>
    /// <param name="options">The network and how it is trained.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, NeuralNetworkTrainer.Options options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Binary, options);

    /// <summary>Trains a network that predicts a number.</summary>
    /// <param name="catalog">The trainers of regression.</param>
    /// <param name="network">The network, with one output.</param>
    /// <param name="labelColumnName">A <see cref="float"/>.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this RegressionCatalog.RegressionTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(Options(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(RegressionCatalog.RegressionTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of regression.</param>
    /// <param name="options">The network and how it is trained.</param>
    public static NeuralNetworkTrainer NeuralNetwork(this RegressionCatalog.RegressionTrainers catalog, NeuralNetworkTrainer.Options options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Regression, options);

    /// <summary>Prunes the network of the step before.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="sparsity">Share of the pieces in scope that are zero afterwards, or gone where pieces are removed, in [0, 1).</param>
    /// <param name="importance">What a piece is worth; by default <see cref="Importance.L1"/>.</param>
    /// <param name="granularity">What a piece is; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <param name="schedule">How fast; by default <see cref="Schedule.OneShot"/>.</param>
    /// <param name="fineTuneEpochs">Epochs of fine-tuning after each step; by default none for one step, otherwise 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sparsity lies outside [0, 1).</exception>
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
    public static PruneEstimator Prune(this TransformsCatalog catalog, PruningOptions options) => new(CatalogEnvironment.Of(catalog), options);

    /// <summary>Trains the network of the step before further; pruned weights stay zero.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="learningRate">Step size; by default that of the network's training, like all other settings.</param>
    public static FineTuneEstimator FineTune(this TransformsCatalog catalog, int epochs = 10, double? learningRate = null)
        => new(CatalogEnvironment.Of(catalog), epochs, learningRate);

    /// <inheritdoc cref="FineTune(TransformsCatalog, int, double?)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How the network is trained.</param>
    public static FineTuneEstimator FineTune(this TransformsCatalog catalog, TrainingOptions options) => new(CatalogEnvironment.Of(catalog), options);

    /// <summary>Measuring networks, and keeping them in files.</summary>
    /// <param name="context">The context.</param>
    public static CompressionCatalog Compression(this MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context);
    }

    private static NeuralNetworkTrainer.Options Options(Network network, string label, string features, int epochs, int batchSize, double learningRate) => new()
    {
        Network = network,
        LabelColumnName = label,
        FeatureColumnName = features,
        Epochs = epochs,
        BatchSize = batchSize,
        LearningRate = learningRate,
    };
}
