using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Networks that are trained already, brought into a chain.</summary>
public static class LoadNetworkCatalog
{
    /// <summary>Brings the network of an ONNX file into a chain, to score, prune and fine-tune it there.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="path">The ONNX file; see <see cref="Network.FromOnnx(string, IReadOnlyDictionary{string, int})"/>.</param>
    /// <param name="inputs">
    /// The columns to read, in the order of the network's inputs; by default columns named as they are, or "Features" for a single one.
    /// </param>
    /// <param name="outputs">The network's output that is the score, one name; by default the first. The others are dropped.</param>
    /// <param name="labelColumnName">A key (multiclass), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression); scoring does without.</param>
    /// <param name="task">What the outputs mean; by default what the label column's type says.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="OnnxFormatException">The file is not an ONNX model, or contradicts itself.</exception>
    /// <exception cref="ArgumentException">The network has no such output, or another number of inputs.</exception>
    /// <example>
    /// <code>
    /// var model = ml.Transforms.LoadNetwork("model.onnx", inputs: ["Pixels"], labelColumnName: "Digit").Fit(data);
    /// var scored = model.Transform(data);
    /// </code>
    /// </example>
    public static LoadNetworkEstimator LoadNetwork(this TransformsCatalog catalog, string path, string[]? inputs = null, string[]? outputs = null,
        string labelColumnName = "Label", LearningTask? task = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return catalog.LoadNetwork(Options(Network.FromOnnx(path), inputs, outputs, labelColumnName, task));
    }

    /// <inheritdoc cref="LoadNetwork(TransformsCatalog, string, string[], string[], string, LearningTask?)"/>
    /// <summary>Brings a network into a chain, to score, prune and fine-tune it there.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="network">The network, with values.</param>
    /// <param name="inputs">
    /// The columns to read, in the order of the network's inputs; by default columns named as they are, or "Features" for a single one.
    /// </param>
    /// <param name="outputs">The network's output that is the score, one name; by default the first. The others are dropped.</param>
    /// <param name="labelColumnName">A key (multiclass), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression); scoring does without.</param>
    /// <param name="task">What the outputs mean; by default what the label column's type says.</param>
    /// <example>
    /// <code>
    /// // A network without its last outputs and with fixed lengths, before it goes into a chain.
    /// var network = Network.FromOnnx("model.onnx", new Dictionary&lt;string, int&gt; { ["sequence"] = 128 });
    /// var model = ml.Transforms.LoadNetwork(network, ["Tokens"], task: LearningTask.Multiclass).Fit(data);
    /// </code>
    /// </example>
    public static LoadNetworkEstimator LoadNetwork(this TransformsCatalog catalog, Network network, string[]? inputs = null, string[]? outputs = null,
        string labelColumnName = "Label", LearningTask? task = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return catalog.LoadNetwork(Options(network, inputs, outputs, labelColumnName, task));
    }

    /// <summary>Brings a network into a chain, to score, prune and fine-tune it there.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">The network and the columns it is brought to.</param>
    /// <example>
    /// <code>
    /// var loading = ml.Transforms.LoadNetwork(new LoadNetworkOptions
    /// {
    ///     Network = Network.FromOnnx("model.onnx"),
    ///     InputColumnNames = ["Pixels"],
    ///     ValidationFraction = 0.2,
    ///     Training = new TrainingOptions { LearningRate = 1e-4, BatchSize = 128 },
    /// });
    /// </code>
    /// </example>
    public static LoadNetworkEstimator LoadNetwork(this TransformsCatalog catalog, LoadNetworkOptions options) => new(CatalogEnvironment.Of(catalog), options);

    private static LoadNetworkOptions Options(Network network, string[]? inputs, string[]? outputs, string labelColumnName, LearningTask? task) => new()
    {
        Network = network,
        InputColumnNames = inputs is null ? null : [.. Setting.Complete(inputs).Select(input => Setting.Named(input, nameof(inputs)))],
        OutputName = Single(outputs),
        LabelColumnName = Setting.Named(labelColumnName, nameof(labelColumnName)),
        Task = task,
    };

    private static string? Single(string[]? outputs) => outputs is null or [] ? null : outputs is [var only] ? Setting.Named(only, nameof(outputs))
        : throw new ArgumentException($"A network has one score, but {outputs.Length} outputs are named: {string.Join(", ", outputs)}.", nameof(outputs));
}
