using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Onnx;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>
/// Pruned trees as a chain of ML.NET's own transformers: the ONNX transformer and linear models that make scalars of its vectors of one.
/// A binary head's probability is the logistic function of its score: one head makes the probability of the logit, another the score.
/// </summary>
internal sealed class TreeOnnxChain : OnnxChain
{
    private const string Prefix = "MLNet.Pruning.";
    private const string Input = Prefix + "Input0";
    private const string Score = Prefix + "Score";
    private const string Logit = Prefix + "Logit";
    private const string Probability = Prefix + "Probability";

    public TreeOnnxChain(TreesState state) : base([(state.FeatureColumn, new VectorDataViewType(NumberDataViewType.Single, state.Ensemble.FeatureCount))])
        => Build(() => Build(state));

    private void Build(TreesState state)
    {
        var (ensemble, isBinary) = (state.Ensemble, state.Ensemble.Task.IsClassification);
        var head = isBinary ? ScalarHead.Binary(Context) : ScalarHead.Regression(Context);
        string[] outputs = ensemble.Calibration is null ? [Score] : [Score, Logit];
        OnnxFile.Write(TreeOnnx.ForHead(ensemble, head, Input, Score, ensemble.Calibration is null ? null : Logit), ModelPath);
        Add(Context.Transforms.CopyColumns(Input, state.FeatureColumn));
        Add(Context.Transforms.ApplyOnnxModel(outputs, [Input], ModelPath));
        if (ensemble.Calibration is not null)
        {
            Add(Context.Transforms.CopyColumns(ScalarHead.Column, Logit));
            Add(head.Transformer);
            Add(Context.Transforms.CopyColumns(Probability, ScoreColumns.Probability));
        }

        Add(Context.Transforms.CopyColumns(ScalarHead.Column, Score));
        Add(head.Transformer);
        if (ensemble.Calibration is not null)
        {
            Add(Context.Transforms.CopyColumns(ScoreColumns.Probability, Probability));
            Add(Context.Transforms.DropColumns([Input, ScalarHead.Column, Probability, .. outputs]));
        }
        else
        {
            Add(Context.Transforms.DropColumns([Input, ScalarHead.Column, .. outputs, .. isBinary ? [ScoreColumns.Probability] : Array.Empty<string>()]));
        }
    }
}
