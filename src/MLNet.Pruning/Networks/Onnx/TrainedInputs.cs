using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

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
        => [.. nodes.Concat(nodes.SelectMany(SubgraphNodes.Of)).Where(node => node.Domain.Length == 0)
            .SelectMany(node => Of(node).Concat(Operands(node).Where(isWeight)))];

    private static IEnumerable<string> Of(Node node) => OperatorCatalogue.Find(node)?.Trained.Select(node.Input).OfType<string>() ?? [];

    private static IEnumerable<string> Operands(Node node)
        => node.Operator is "Add" or "Sub" or "Mul" or "Div" or "Gather" or "Concat" or "Expand" or "Slice" || OperatorCatalogue.Find(node)?.Values
            == Values.Shown ? node.Inputs : [];
}
