using Microsoft.ML;

namespace MLNet.Pruning;

/// <summary>Measuring networks, and keeping them in files: <c>ml.Compression()</c>.</summary>
public sealed class CompressionCatalog
{
    private readonly MLContext _context;

    internal CompressionCatalog(MLContext context) => _context = context;

    /// <summary>Counts the parameters, non-zeros, multiply-adds and bytes of the last network in a fitted model.</summary>
    /// <param name="model">A fitted step or chain.</param>
    /// <exception cref="ArgumentException">The model has no neural network.</exception>
    public NetworkCost Measure(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Measure((NetworkChains.Last(model) ?? throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it.", nameof(model))).Network);
    }

    /// <summary>Counts the parameters, non-zeros, multiply-adds and bytes of a network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet.</exception>
    public NetworkCost Measure(Network network) => NetworkCost.Of(network);

    /// <summary>
    /// Writes a model so that nothing is lost: its networks with their masks, columns, key values, the weights before training and how
    /// they were trained, and the ML.NET transformers around them. What <see cref="Load"/> gives back scores in batches and can be pruned
    /// and trained further. A file that <c>ml.Model.Load</c> reads, in a process without this package, is written by
    /// <c>ml.Model.Save(model.Compact(), schema, path)</c>.
    /// </summary>
    /// <param name="model">A fitted step or chain with at least one network.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <param name="path">The file; written beside and renamed, so that an old one stays whole until the new one is.</param>
    /// <exception cref="ArgumentException">The model has no neural network.</exception>
    /// <exception cref="IOException">The file cannot be written. Nothing has changed.</exception>
    public void Save(ITransformer model, DataViewSchema inputSchema, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (NetworkChains.Last(model) is null)
        {
            throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it: ml.Model.Save writes it.", nameof(model));
        }

        ModelFile.Save(_context, model, inputSchema, path);
    }

    /// <summary>Reads a model that <see cref="Save"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inputSchema">Schema of the rows it takes.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFileException">The file is damaged, incomplete, or was not written by <see cref="Save"/>.</exception>
    public ITransformer Load(string path, out DataViewSchema inputSchema)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFile.Load(_context, path, out inputSchema);
    }
}
