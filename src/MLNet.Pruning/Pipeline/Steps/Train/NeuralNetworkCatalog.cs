using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Neural networks in the catalogs of trainers.</summary>
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
    public static NeuralNetworkTrainer NeuralNetwork(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, NeuralNetworkOptions options)
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
    public static NeuralNetworkTrainer NeuralNetwork(this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, NeuralNetworkOptions options)
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
    public static NeuralNetworkTrainer NeuralNetwork(this RegressionCatalog.RegressionTrainers catalog, NeuralNetworkOptions options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Regression, options);

    private static NeuralNetworkOptions Options(Network network, string label, string features, int epochs, int batchSize, double learningRate) => new()
    {
        Network = network,
        LabelColumnName = label,
        FeatureColumnName = features,
        Epochs = epochs,
        BatchSize = batchSize,
        LearningRate = learningRate,
    };
}
