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

    /// <summary>
    /// Adds the predicted key by a table from codes to keys, whose key column carries the key values: the map and its file keep them as they are, of any type.
    /// (A map to values that is told to treat them as keys makes text of them when it is loaded.)
    /// </summary>
    /// <param name="keys">The key values of the label, where it has some.</param>
    /// <param name="head">The head, which scored codes counted from 1.</param>
    /// <param name="classes">How many.</param>
    protected void AddKeys(LabelKeys? keys, ScalarHead head, int classes)
    {
        var codes = head.Apply(Context, [.. Enumerable.Range(1, classes).Select(i => (float)i)]);
        var definition = SchemaDefinition.Create(typeof(Code));
        definition[nameof(Code.Key)].ColumnType = new KeyDataViewType(typeof(uint), codes.Length);
        keys?.Add(definition[nameof(Code.Key)]);
        // Keys in objects count from 0.
        var table = Context.Data.LoadFromEnumerable(codes.Select((code, i) => new Code { Value = code, Key = (uint)i }), definition);
        Add(Context.Transforms.Conversion.MapValue(ScoreColumns.PredictedLabel, table, table.Schema[nameof(Code.Value)], table.Schema[nameof(Code.Key)],
            ScoreColumns.Score));
    }

    internal sealed class Code
    {
        public float Value { get; set; }

        public uint Key { get; set; }
    }
}
