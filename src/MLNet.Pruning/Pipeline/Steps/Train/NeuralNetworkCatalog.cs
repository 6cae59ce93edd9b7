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
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 128, 10), epochs: 30));
    /// var metrics = ml.MulticlassClassification.Evaluate(pipeline.Fit(data).Transform(data));
    /// </code>
    /// </example>
    public static NeuralNetworkTrainer NeuralNetwork(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(NeuralNetworkOptions.Of(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(MulticlassClassificationCatalog.MulticlassClassificationTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of multiclass classification.</param>
    /// <param name="options">The network and how it is trained.</param>
    /// <example>
    /// <code>
    /// var trainer = ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions
    /// {
    ///     Network = Network.Sequential([1, 28, 28], Layer.Conv2d(32, 3), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(10)),
    ///     FeatureColumnName = "Pixels",
    ///     Epochs = 10,
    ///     Regularization = Regularization.L1(1e-5),
    ///     EarlyStoppingPatience = 3,
    /// });
    /// </code>
    /// </example>
    public static NeuralNetworkTrainer NeuralNetwork(this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        NeuralNetworkOptions options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Multiclass, options);

    /// <summary>Trains a network for binary classification.</summary>
    /// <param name="catalog">The trainers of binary classification.</param>
    /// <param name="network">The network, with one output.</param>
    /// <param name="labelColumnName">A <see cref="bool"/>.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    /// <example>
    /// <code>
    /// var model = ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(30, 16, 1)).Fit(data);
    /// var metrics = ml.BinaryClassification.Evaluate(model.Transform(data));
    /// </code>
    /// </example>
    public static NeuralNetworkTrainer NeuralNetwork(this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(NeuralNetworkOptions.Of(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(BinaryClassificationCatalog.BinaryClassificationTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of binary classification.</param>
    /// <param name="options">The network and how it is trained.</param>
    /// <example>
    /// <code>
    /// var trainer = ml.BinaryClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions
    /// {
    ///     Network = Network.Mlp(30, 16, 1), Metric = Metric.AreaUnderRocCurve, EarlyStoppingPatience = 5, Epochs = 100,
    /// });
    /// </code>
    /// </example>
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
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.NormalizeMeanVariance("Features")
    ///     .Append(ml.Regression.Trainers.NeuralNetwork(Network.Mlp(13, 32, 1), epochs: 50));
    /// var metrics = ml.Regression.Evaluate(pipeline.Fit(data).Transform(data));
    /// </code>
    /// </example>
    public static NeuralNetworkTrainer NeuralNetwork(this RegressionCatalog.RegressionTrainers catalog, Network network,
        string labelColumnName = "Label", string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3)
        => catalog.NeuralNetwork(NeuralNetworkOptions.Of(network, labelColumnName, featureColumnName, epochs, batchSize, learningRate));

    /// <inheritdoc cref="NeuralNetwork(RegressionCatalog.RegressionTrainers, Network, string, string, int, int, double)"/>
    /// <param name="catalog">The trainers of regression.</param>
    /// <param name="options">The network and how it is trained.</param>
    /// <example>
    /// <code>
    /// var trainer = ml.Regression.Trainers.NeuralNetwork(new NeuralNetworkOptions { Network = Network.Mlp(13, 32, 1), Loss = Loss.MeanAbsoluteError });
    /// </code>
    /// </example>
    public static NeuralNetworkTrainer NeuralNetwork(this RegressionCatalog.RegressionTrainers catalog, NeuralNetworkOptions options)
        => new(CatalogEnvironment.Of(catalog), LearningTask.Regression, options);
}
