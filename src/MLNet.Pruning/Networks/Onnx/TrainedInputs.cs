using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Which known floats of a graph are trained: weights, biases, scales and shifts of layers, embedding tables, and operands of
/// arithmetic that the file holds as weights (positions, layer scales). Numbers written into the graph and running statistics are not.
/// </summary>
internal static class TrainedInputs
{
    /// <param name="nodes">The graph.</param>
    /// <param name="isWeight">Whether what a name stands for is held by the file as a weight of several values.</param>
    public static HashSet<string> Of(IReadOnlyCollection<Node> nodes, Func<string, bool> isWeight)
        => [.. nodes.Concat(nodes.SelectMany(SubgraphNodes.Of)).Where(node => node.Domain.Length == 0).SelectMany(node => Of(node).Concat(Operands(node).Where(isWeight)))];

    private static IEnumerable<string> Of(Node node) => node.Operator switch
    {
        "Conv" or "ConvTranspose" or "Gemm" or "PRelu" => node.Inputs.Skip(1),
        "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "GroupNormalization" => node.Inputs.Skip(1).Take(2),
        "LSTM" or "GRU" or "RNN" => node.Inputs.Skip(1).Take(3).Concat(node.Inputs.Skip(7)),
        "MatMul" => node.Inputs,
        _ => [],
    };

    private static IEnumerable<string> Operands(Node node)
        => node.Operator is "Add" or "Sub" or "Mul" or "Div" or "Gather" or "Concat" or "Expand" or "Slice" || WeightView.Operators.Contains(node.Operator) ? node.Inputs : [];
}
