using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// How much memory values may take that are computed while a file is read: twice what its own take, as for weights that are transposed and joined, and 16 MB.
/// A node of a few bytes can ask for any size, and there may be any number of them; those that are not computed stay nodes.
/// </summary>
/// <param name="initializers">Bytes of the values that the file holds.</param>
internal sealed class FoldingBudget(long initializers)
{
    private const long Least = 1 << 24;

    private long _left = (2 * initializers) + Least;

    /// <summary>Whether there is room for what a node produces.</summary>
    public bool Allows(Node node, IEnumerable<TensorInfo> outputs) => Shares(node)
        || outputs.Where(output => output.IsKnown).Sum(output =>
            output.Shape.Aggregate(sizeof(float), (double product, int size) => product * Math.Max(size, 1))) <= _left;

    /// <summary>Takes the room of what it produced.</summary>
    public void Take(Node node, FoldedValue[]? values)
    {
        if (values is not null && !Shares(node))
        {
            _left -= values.Sum(value => value.Bytes);
        }
    }

    /// <summary>Whether the values stay where they are, in another shape.</summary>
    private static bool Shares(Node node) => node.Operator is "Identity" or "Squeeze" or "Unsqueeze" or "Reshape" or "Flatten";
}
