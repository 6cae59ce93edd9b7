namespace MLNet.Pruning.Networks.Operators;

/// <summary>Where an operator multiplies with a weight. Where what it multiplies is a weight too it is no layer: nothing is computed from the input.</summary>
/// <param name="Input">The operand that is the weight.</param>
/// <param name="LeastDimensions">Dimensions that the weight has at least.</param>
/// <param name="Axes">What the dimensions of the weight are, by the node and their number.</param>
/// <param name="Positions">
/// Sizes whose product tells how often each weight is used for a row, by the shapes of the first operand and of the result and the weight's number of
/// dimensions.
/// </param>
internal sealed record WeightOperand(
    int Input, int LeastDimensions, Func<Node, int, WeightAxes> Axes, Func<ImmutableArray<int>, ImmutableArray<int>, int, IEnumerable<int>> Positions)
{
    /// <summary>For operators that are a sum of products, what the weight multiplies; null for others.</summary>
    public Product? Product { get; init; }
}

/// <summary>A sum of products with a weight.</summary>
/// <param name="Data">The operand that is multiplied.</param>
/// <param name="Reads">Its dimension that the weight's inputs are, by the node; a negative one counts from the last.</param>
/// <param name="Makes">The dimension of the result that the weight's outputs are; a negative one counts from the last.</param>
internal sealed record Product(int Data, Func<Node, int> Reads, int Makes);
