using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Distillation in the catalogs of <see cref="MLContext"/>.</summary>
public static class DistillationCatalog
{
    /// <summary>Trains a student on the labels and on what the model before it in the chain says of the rows.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="student">The network to train, with as many outputs as the teacher; one without values is drawn first.</param>
    /// <param name="distillation">What it learns from the teacher; by default <see cref="Distillation.Response"/>.</param>
    /// <param name="labelColumnName">A key, a <see cref="bool"/> or a <see cref="float"/>, which tells the task.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>, as many as the student reads.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    /// <param name="teacher">A fitted model that teaches instead: see <see cref="Teacher.Model"/>.</param>
    /// <exception cref="ArgumentException">The distillation names a teacher beside <paramref name="teacher"/>.</exception>
    /// <example>
    /// <code>
    /// // A network that learns from 200 trees, and from the labels.
    /// var pipeline = ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200)
    ///     .Append(ml.Transforms.Distill(Network.Mlp(30, 16, 1)));
    /// </code>
    /// </example>
    public static DistillEstimator Distill(this TransformsCatalog catalog, Network student, Distillation? distillation = null, string labelColumnName = "Label",
        string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3, ITransformer? teacher = null)
    {
        ArgumentNullException.ThrowIfNull(student);
        return catalog.Distill(NeuralNetworkOptions.Of(student, labelColumnName, featureColumnName, epochs, batchSize, learningRate)
            with { Distillation = From(distillation, teacher) });
    }

    /// <summary>Trains a student that is made of the teacher's network when that is trained.</summary>
    /// <inheritdoc cref="Distill(TransformsCatalog, Network, Distillation, string, string, int, int, double, ITransformer)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="student">Makes the student of the teacher, with the same inputs and outputs.</param>
    /// <param name="distillation">What it learns from the teacher; by default <see cref="Distillation.Response"/>.</param>
    /// <param name="labelColumnName">A key, a <see cref="bool"/> or a <see cref="float"/>, which tells the task.</param>
    /// <param name="featureColumnName">A known-size vector of <see cref="float"/>, as many as the student reads.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <param name="batchSize">Rows in a step.</param>
    /// <param name="learningRate">Step size of Adam.</param>
    /// <param name="teacher">A fitted model, with a network behind its Score, that teaches instead: see <see cref="Teacher.Model"/>.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("teacher.onnx")
    ///     .Append(ml.Transforms.Distill(teacher =&gt; teacher.Shrink(width: 0.25)));
    /// </code>
    /// </example>
    public static DistillEstimator Distill(this TransformsCatalog catalog, Func<Network, Network> student, Distillation? distillation = null,
        string labelColumnName = "Label",
        string featureColumnName = "Features", int epochs = 20, int batchSize = 64, double learningRate = 1e-3, ITransformer? teacher = null)
        => catalog.Distill(student, NeuralNetworkOptions.Of(null, labelColumnName, featureColumnName, epochs, batchSize, learningRate)
            with { Distillation = From(distillation, teacher) });

    /// <summary>Trains <see cref="NeuralNetworkOptions.Network"/> as the student of a teacher.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">The student and how it is trained; without a distillation <see cref="Distillation.Response"/>.</param>
    /// <example>
    /// <code>
    /// var student = ml.Transforms.Distill(new NeuralNetworkOptions
    /// {
    ///     Network = Network.Mlp(784, 100, 10),
    ///     Distillation = Distillation.Response(temperature: 4).From(Teacher.Model(model)),
    ///     Epochs = 40,
    /// });
    /// </code>
    /// </example>
    public static DistillEstimator Distill(this TransformsCatalog catalog, NeuralNetworkOptions options) => new(CatalogEnvironment.Of(catalog), options, null);

    /// <summary>Trains a student that is made of the teacher's network when that is trained.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="student">Makes the student of the teacher, with the same inputs and outputs.</param>
    /// <param name="options">How it is trained; its network is not used.</param>
    /// <example>
    /// <code>
    /// var student = ml.Transforms.Distill(teacher =&gt; teacher.Shrink(width: 0.5), new NeuralNetworkOptions
    /// {
    ///     Distillation = Distillation.Response() + Distillation.Features([("fc1", "fc1")]), Epochs = 40,
    /// });
    /// </code>
    /// </example>
    public static DistillEstimator Distill(this TransformsCatalog catalog, Func<Network, Network> student, NeuralNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(student);
        return new(CatalogEnvironment.Of(catalog), options, student);
    }

    private static Distillation? From(Distillation? distillation, ITransformer? teacher) => teacher is null ? distillation
        : distillation?.Teacher is null ? (distillation ?? Distillation.Response()).From(Teacher.Model(teacher))
        : throw new ArgumentException("The distillation names a teacher, and another was given beside it; combine teachers by Teacher.Mean, Teacher.Weighted "
            + "or Teacher.BestPerClass.", nameof(teacher));
}
