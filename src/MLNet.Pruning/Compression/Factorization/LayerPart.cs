namespace MLNet.Pruning.Compression.Factorization;

/// <summary>One of the layers that take the place of another.</summary>
/// <param name="Operator">Its operator.</param>
/// <param name="Operand">Which of its operands the weight is.</param>
/// <param name="Shape">Shape of the weight.</param>
/// <param name="Attributes">Its attributes.</param>
internal sealed record LayerPart(string Operator, int Operand, ImmutableArray<int> Shape, ImmutableDictionary<string, object> Attributes)
{
    /// <summary>Values of the weight.</summary>
    public int Count => Shape.Aggregate(1, (product, size) => checked(product * size));
}
