using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Onnx;

/// <summary>
/// A model as a chain of ML.NET's own transformers, the ONNX transformer and others around it. The ONNX model lies in a temporary file, which the
/// ONNX transformer reads again when it is saved.
/// </summary>
internal abstract class OnnxChain : IDisposable
{
    private readonly List<ITransformer> _transformers = [];
    private IDataView _view;

    /// <param name="columns">What the chain reads.</param>
    protected OnnxChain(IEnumerable<(string Name, DataViewType Type)> columns)
    {
        var schema = new DataViewSchema.Builder();
        foreach (var (name, type) in columns)
        {
            schema.AddColumn(name, type);
        }

        _view = new SchemaOnlyView(schema.ToSchema());
    }

    public ITransformer Transformer => new TransformerChain<ITransformer>([.. _transformers]);

    protected MLContext Context { get; } = new(seed: 0);

    /// <summary>The temporary file.</summary>
    protected string ModelPath { get; } = Path.Combine(Path.GetTempPath(), $"MLNet.Pruning.{Path.GetRandomFileName()}.onnx");

    public void Dispose()
    {
        foreach (var transformer in _transformers.OfType<IDisposable>())
        {
            transformer.Dispose();
        }

        File.Delete(ModelPath);
    }

    /// <summary>Adds all steps, or leaves nothing behind.</summary>
    protected void Build(Action build)
    {
        try
        {
            build();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    protected void Add(IEstimator<ITransformer> step) => Add(step.Fit(_view));

    protected void Add(ITransformer transformer)
    {
        _transformers.Add(transformer);
        _view = transformer.Transform(_view);
    }
}
