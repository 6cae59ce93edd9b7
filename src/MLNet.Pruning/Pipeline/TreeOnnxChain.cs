using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning;

/// <summary>
/// Pruned trees as a chain of ML.NET's own transformers: the ONNX transformer and linear models that make scalars of its vectors of one.
/// A binary head's probability is the logistic function of its score: one head makes the probability of the logit, another the score.
/// </summary>
internal sealed class TreeOnnxChain : IDisposable
{
    private const string Prefix = "MLNet.Pruning.";
    private const string Input = Prefix + "Input0";
    private const string Score = Prefix + "Score";
    private const string Logit = Prefix + "Logit";
    private const string Probability = Prefix + "Probability";

    private readonly MLContext _ml = new(seed: 0);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"MLNet.Pruning.{Path.GetRandomFileName()}.onnx");
    private readonly List<ITransformer> _transformers = [];
    private IDataView _view;

    public TreeOnnxChain(TreesState state)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(state.FeatureColumn, new VectorDataViewType(NumberDataViewType.Single, state.Ensemble.FeatureCount));
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

    private void Build(TreesState state)
    {
        var (ensemble, isBinary) = (state.Ensemble, state.Ensemble.Task == LearningTask.Binary);
        var head = isBinary ? ScalarHead.Binary(_ml) : ScalarHead.Regression(_ml);
        string[] outputs = ensemble.Calibration is null ? [Score] : [Score, Logit];
        OnnxFile.Write(TreeOnnx.ForHead(ensemble, head, Input, Score, ensemble.Calibration is null ? null : Logit), _path);
        Add(_ml.Transforms.CopyColumns(Input, state.FeatureColumn));
        Add(_ml.Transforms.ApplyOnnxModel(outputs, [Input], _path));
        if (ensemble.Calibration is not null)
        {
            Add(_ml.Transforms.CopyColumns(ScalarHead.Column, Logit));
            Add(head.Transformer);
            Add(_ml.Transforms.CopyColumns(Probability, ScoreColumns.Probability));
        }

        Add(_ml.Transforms.CopyColumns(ScalarHead.Column, Score));
        Add(head.Transformer);
        if (ensemble.Calibration is not null)
        {
            Add(_ml.Transforms.CopyColumns(ScoreColumns.Probability, Probability));
            Add(_ml.Transforms.DropColumns([Input, ScalarHead.Column, Probability, .. outputs]));
        }
        else
        {
            Add(_ml.Transforms.DropColumns([Input, ScalarHead.Column, .. outputs, .. isBinary ? [ScoreColumns.Probability] : Array.Empty<string>()]));
        }
    }

    private void Add(IEstimator<ITransformer> step) => Add(step.Fit(_view));

    private void Add(ITransformer transformer)
    {
        _transformers.Add(transformer);
        _view = transformer.Transform(_view);
    }
}
