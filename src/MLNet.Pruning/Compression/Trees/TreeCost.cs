using System.Globalization;

namespace MLNet.Pruning;

/// <summary>What an ensemble of trees holds.</summary>
/// <param name="Trees">Trees with at least one split.</param>
/// <param name="Nodes">Splits, as ML.NET's NumberOfNodes counts them.</param>
/// <param name="Leaves">Leaves.</param>
/// <param name="Depth">Splits on the longest path from a root.</param>
/// <param name="Bytes">16 a split (feature, threshold, two children) and 8 a leaf.</param>
public sealed record TreeCost(int Trees, int Nodes, int Leaves, int Depth, long Bytes)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Trees:N0} trees, {Nodes:N0} nodes, {Leaves:N0} leaves, depth {Depth:N0}, {Bytes:N0} bytes");

    internal static TreeCost Of(IEnumerable<DecisionTree> ensemble)
    {
        var trees = ensemble.Where(tree => tree.Nodes > 0).ToArray();
        var (nodes, leaves) = (trees.Sum(tree => tree.Nodes), trees.Sum(tree => tree.LeafValues.Length));
        return new(trees.Length, nodes, leaves, trees.Length == 0 ? 0 : trees.Max(tree => tree.Fold(_ => 0, (_, left, right) => 1 + Math.Max(left, right))[0]), 16L * nodes + 8L * leaves);
    }
}
