namespace MLNet.Pruning.Structure.Granularities;

/// <summary>One of several layers that together are, or nearly are, another.</summary>
/// <param name="Operator">Its operator.</param>
/// <param name="Operand">Which of its operands the weight is.</param>
/// <param name="Shape">Shape of the weight.</param>
/// <param name="Attributes">Its attributes.</param>
internal sealed record LayerPart(string Operator, int Operand, ImmutableArray<int> Shape, ImmutableDictionary<string, object> Attributes)
{
    /// <summary>Values of the weight.</summary>
    public int Count => Shape.Aggregate(1, (product, size) => checked(product * size));

    /// <summary>The two layers that are a layer with its weight a product of low rank: the first reads the inputs, the second makes the outputs.</summary>
    /// <param name="node">The layer.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="matrix">The weight as outputs x inputs.</param>
    /// <param name="rank">What the first puts out.</param>
    public static IReadOnlyList<LayerPart> OfRank(Node node, Parameter weight, WeightMatrix matrix, int rank)
    {
        var shape = weight.Shape;
        ImmutableArray<int> first = matrix.IsTransposed ? [matrix.Columns, rank] : shape.SetItem(0, rank);
        ImmutableArray<int> second = matrix.IsTransposed ? [rank, matrix.Rows] : [matrix.Rows, rank, .. Enumerable.Repeat(1, shape.Length - 2)];
        var none = ImmutableDictionary<string, object>.Empty;
        return node.Operator switch
        {
            "Conv" => [new("Conv", 1, first, node.Attributes),
                new("Conv", 1, second, none.Add("kernel_shape", second.Skip(2).Select(size => (long)size).ToArray()))],
            "Gemm" => [new("Gemm", 1, first, node.Attributes.Remove("alpha").Remove("beta")), new("Gemm", 1, second, node.Attributes.Remove("transA"))],
            "Gather" => [new("Gather", 0, first, node.Attributes), new("MatMul", 1, second, none)],
            _ when node.Inputs[0] == weight.Name => [new("MatMul", 0, first, none), new("MatMul", 0, second, none)],
            _ => [new("MatMul", 1, first, none), new("MatMul", 1, second, none)],
        };
    }
}
