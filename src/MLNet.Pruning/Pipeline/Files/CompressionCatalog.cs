using MLNet.Pruning.Data;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Files;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;

namespace MLNet.Pruning;

/// <summary>Measuring networks, and keeping them in files: <c>ml.Compression()</c>.</summary>
public sealed partial class CompressionCatalog
{
    private readonly MLContext _context;

    internal CompressionCatalog(MLContext context) => _context = context;

    /// <summary>
    /// Counts the parameters, non-zeros, multiply-adds and bytes of the last network in a fitted model, or the trees of its last ensemble of them.
    /// </summary>
    /// <param name="model">A fitted step or chain; FastTree's, FastForest's and LightGBM's own ensembles count as well as pruned ones.</param>
    /// <exception cref="ArgumentException">The model has neither a neural network nor an ensemble of trees.</exception>
    /// <example>
    /// <code>
    /// var cost = ml.Compression().Measure(model);
    /// Console.WriteLine($"{cost.Total.NonZeros} of {cost.Total.Parameters} parameters are not zero.");
    /// </code>
    /// </example>
    public NetworkCost Measure(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var step in NetworkChains.Flatten(model).Reverse())
        {
            if (step is NeuralNetworkTransformer network)
            {
                return Measure(network.Network);
            }

            if (TreeReader.TryRead(step) is { } trees)
            {
                return NetworkCost.Of(trees.Cost, trees.NonZeros);
            }
        }

        throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network and no ensemble of trees in it.", nameof(model));
    }

    /// <summary>Counts the parameters, non-zeros, multiply-adds and bytes of a network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet.</exception>
    /// <example>
    /// <code>
    /// Console.WriteLine(ml.Compression().Measure(Network.FromOnnx("model.onnx")));
    /// </code>
    /// </example>
    public NetworkCost Measure(Network network) => NetworkCost.Of(network);

    /// <summary>
    /// Writes a model so that nothing is lost: its networks with their masks, columns, key values, the weights before training and how
    /// they were trained, and the ML.NET transformers around them. What <see cref="Load(string, out DataViewSchema)"/> gives back scores in batches and can be
    /// pruned and trained further. A file that <c>ml.Model.Load</c> reads, in a process without this package, is written by
    /// <c>ml.Model.Save(model.Compact(), schema, path)</c>.
    /// </summary>
    /// <param name="model">A fitted step or chain with at least one network or ensemble of pruned trees.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <param name="path">The file; written beside and renamed, so that an old one stays whole until the new one is.</param>
    /// <exception cref="ArgumentException">The model has neither.</exception>
    /// <exception cref="IOException">The file cannot be written. Nothing has changed.</exception>
    /// <example>
    /// <code>
    /// ml.Compression().Save(model, data.Schema, "model.zip");
    /// </code>
    /// </example>
    public void Save(ITransformer model, DataViewSchema inputSchema, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Pack(model, inputSchema).Save(path);
    }

    /// <summary>Writes a model where a stream is, which stays open, with the very bytes of the file. It need not be one that can seek.</summary>
    /// <param name="model">A fitted step or chain with at least one network or ensemble of pruned trees.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The model has neither, or the stream cannot be written.</exception>
    /// <example>
    /// <code>
    /// using var stream = new System.IO.MemoryStream();
    /// ml.Compression().Save(model, data.Schema, stream);
    /// </code>
    /// </example>
    public void Save(ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        OpenStream.Writable(stream);
        Pack(model, inputSchema).Save(stream);
    }

    /// <summary>Reads a model that <see cref="Save(ITransformer, DataViewSchema, string)"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFileException">The file is damaged, incomplete, or was not written by <c>Save</c>.</exception>
    /// <example>
    /// <code>
    /// var model = ml.Compression().Load("model.zip", out var schema);
    /// </code>
    /// </example>
    public ITransformer Load(string path, out DataViewSchema inputSchema)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFile.Unpack(_context, ModelArchive.Load(path), out inputSchema);
    }

    /// <summary>Reads a model from where a stream is to its end; the stream stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    /// <exception cref="ModelFileException">What it holds is damaged, incomplete, or was not written by <c>Save</c>.</exception>
    /// <example>
    /// <code>
    /// using var stream = System.IO.File.OpenRead("model.zip");
    /// var loaded = ml.Compression().Load(stream, out var schema);
    /// </code>
    /// </example>
    public ITransformer Load(Stream stream, out DataViewSchema inputSchema) => ModelFile.Unpack(_context, ModelArchive.Load(stream), out inputSchema);

    private ModelArchive Pack(ITransformer model, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        return NetworkChains.Flatten(model).Any(step => step is IScoringStep) ? ModelFile.Pack(_context, model, inputSchema)
            : throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network or pruned trees in it: ml.Model.Save writes it.",
                nameof(model));
    }
}
