using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning;

/// <summary>
/// A network as a chain of ML.NET's own transformers: the ONNX transformer, a linear model that makes a scalar of its vector of one, and
/// for classes a map from that scalar to the label's keys. The network's model lies in a temporary file, which the ONNX transformer
/// reads again when it is saved.
/// </summary>
internal sealed class OnnxChain : IDisposable
{
    private readonly MLContext _ml = new(seed: 0);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"MLNet.Pruning.{Path.GetRandomFileName()}.onnx");
    private readonly List<ITransformer> _transformers = [];
    private IDataView _view;

    public OnnxChain(NetworkState state)
    {
        var schema = new DataViewSchema.Builder();
        foreach (var column in state.Inputs.Columns)
        {
            schema.AddColumn(column.Name, column.Type);
        }

        _view = new SchemaOnlyView(schema.ToSchema());
        try
        {
            Build(state);
            Transformer = new TransformerChain<ITransformer>([.. _transformers]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ITransformer Transformer { get; }

    public void Dispose()
    {
        foreach (var transformer in _transformers.OfType<IDisposable>())
        {
            transformer.Dispose();
        }

        File.Delete(_path);
    }

    private void Build(NetworkState state)
    {
        var head = state.Task == LearningTask.Binary ? ScalarHead.Binary(_ml) : ScalarHead.Regression(_ml);
        var graph = new OnnxScoringModel(state, head);
        OnnxFile.Write(graph.Model, _path);
        // The ONNX transformer takes columns named as the model's inputs: a name of our own cannot be that of a tensor of the network.
        foreach (var (input, column) in graph.Inputs.Zip(state.Inputs.Columns))
        {
            Add(_ml.Transforms.CopyColumns(input, column.Name));
        }

        Add(_ml.Transforms.ApplyOnnxModel([.. graph.Outputs], [.. graph.Inputs], _path));
        Add(head.Transformer);
        if (state.Task == LearningTask.Multiclass)
        {
            var outputs = state.Network.Output.RowSize;
            Add(Keys(state.Keys, head.Apply(_ml, [.. Enumerable.Range(1, outputs).Select(i => (float)i)])));
            Add(_ml.Transforms.CopyColumns(ScoreColumns.Score, OnnxScoringModel.Scores));
        }

        Add(_ml.Transforms.DropColumns([.. graph.Inputs, .. graph.Outputs]));
    }

    private void Add(IEstimator<ITransformer> step) => Add(step.Fit(_view));

    private void Add(ITransformer transformer)
    {
        _transformers.Add(transformer);
        _view = transformer.Transform(_view);
    }

    private IEstimator<ITransformer> Keys(LabelKeys? keys, float[] codes)
    {
        if (keys is not null)
        {
            return keys.Map(_ml.Transforms.Conversion, ScoreColumns.PredictedLabel, ScoreColumns.Score, codes);
        }

        var definition = SchemaDefinition.Create(typeof(Code));
        definition[nameof(Code.Key)].ColumnType = new KeyDataViewType(typeof(uint), codes.Length);
        // Keys in objects count from 0.
        var table = _ml.Data.LoadFromEnumerable(codes.Select((code, i) => new Code { Value = code, Key = (uint)i }), definition);
        return _ml.Transforms.Conversion.MapValue(ScoreColumns.PredictedLabel, table, table.Schema[nameof(Code.Value)], table.Schema[nameof(Code.Key)], ScoreColumns.Score);
    }

    internal sealed class Code
    {
        public float Value { get; set; }

        public uint Key { get; set; }
    }
}
