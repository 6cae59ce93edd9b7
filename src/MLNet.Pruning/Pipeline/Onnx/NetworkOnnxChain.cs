using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Onnx;

/// <summary>
/// A network as a chain of ML.NET's own transformers: the ONNX transformer, a linear model that makes a scalar of its vector of one, and
/// for classes a map from that scalar to the label's keys.
/// </summary>
internal sealed class NetworkOnnxChain : OnnxChain
{
    public NetworkOnnxChain(NetworkState state) : base(state.Inputs.Columns.Select(column => (column.Name, column.Type))) => Build(() => Build(state));

    private void Build(NetworkState state)
    {
        var head = state.Task == LearningTask.Binary ? ScalarHead.Binary(Context) : ScalarHead.Regression(Context);
        var graph = new OnnxScoringModel(state, head);
        OnnxFile.Write(graph.Model, ModelPath);
        // The ONNX transformer takes columns named as the model's inputs: a name of our own cannot be that of a tensor of the network.
        foreach (var (input, column) in graph.Inputs.Zip(state.Inputs.Columns))
        {
            Add(Context.Transforms.CopyColumns(input, column.Name));
        }

        Add(Context.Transforms.ApplyOnnxModel([.. graph.Outputs], [.. graph.Inputs], ModelPath));
        Add(head.Transformer);
        if (state.Task.HasOutputPerClass)
        {
            AddKeys(state.Keys, head, state.Network.Output.RowSize);
            Add(Context.Transforms.CopyColumns(ScoreColumns.Score, OnnxScoringModel.Scores));
        }

        Add(Context.Transforms.DropColumns([.. graph.Inputs, .. graph.Outputs]));
    }
}
