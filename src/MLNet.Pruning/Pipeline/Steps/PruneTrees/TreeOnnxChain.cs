using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Onnx;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>
/// Pruned trees as a chain of ML.NET's own transformers: the ONNX transformer and linear models that make scalars of its vectors of one.
/// A binary head's probability is the logistic function of its score: one head makes the probability of the logit, another the score. Of several classes
/// the ONNX model gives the scores, and a head and a map the predicted key.
/// </summary>
internal sealed class TreeOnnxChain : OnnxChain
{
    private const string Prefix = "MLNet.Pruning.";
    private const string Input = Prefix + "Input0";
    private const string Score = Prefix + "Score";
    private const string Scores = Prefix + "Scores";
    private const string Logit = Prefix + "Logit";
    private const string Probability = Prefix + "Probability";

    public TreeOnnxChain(TreesState state) : base([(state.FeatureColumn, new VectorDataViewType(NumberDataViewType.Single, state.Trees.FeatureCount))])
        => Build(() =>
        {
            if (state.Trees.Task.HasOutputPerClass)
            {
                BuildClasses(state);
            }
            else
            {
                BuildScalar(state);
            }
        });

    private void BuildClasses(TreesState state)
    {
        var head = ScalarHead.Regression(Context);
        var model = TreeOnnx.ForClasses(state.Trees, Input, Scores, ScalarHead.Column);
        if (state.Keys is { Texts: { } names })
        {
            SlotNames.Add(model, Scores, names);
        }

        OnnxFile.Write(model, ModelPath);
        Add(Context.Transforms.CopyColumns(Input, state.FeatureColumn));
        Add(Context.Transforms.ApplyOnnxModel([Scores, ScalarHead.Column], [Input], ModelPath));
        Add(head.Transformer);
        AddKeys(state.Keys, head, state.Trees.Outputs);
        Add(Context.Transforms.CopyColumns(ScoreColumns.Score, Scores));
        Add(Context.Transforms.DropColumns([Input, Scores, ScalarHead.Column]));
    }

    private void BuildScalar(TreesState state)
    {
        var (trees, isBinary) = (state.Trees, state.Trees.Task.IsClassification);
        var head = isBinary ? ScalarHead.Binary(Context) : ScalarHead.Regression(Context);
        string[] outputs = trees.HasProbability ? [Score, Logit] : [Score];
        OnnxFile.Write(TreeOnnx.ForHead(trees, head, Input, Score, trees.HasProbability ? Logit : null), ModelPath);
        Add(Context.Transforms.CopyColumns(Input, state.FeatureColumn));
        Add(Context.Transforms.ApplyOnnxModel(outputs, [Input], ModelPath));
        if (trees.HasProbability)
        {
            Add(Context.Transforms.CopyColumns(ScalarHead.Column, Logit));
            Add(head.Transformer);
            Add(Context.Transforms.CopyColumns(Probability, ScoreColumns.Probability));
        }

        Add(Context.Transforms.CopyColumns(ScalarHead.Column, Score));
        Add(head.Transformer);
        if (trees.HasProbability)
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
