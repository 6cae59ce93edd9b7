namespace MLNet.Pruning.Networks.Operators;

/// <summary>
/// Shapes behind operators of ONNX Runtime (com.microsoft) that are carried as they are: their own dimensions stay, and what comes after
/// them is analysed.
/// </summary>
internal static class CarriedShapes
{
    /// <summary>The shape of the first output; none where it is not known.</summary>
    public static ImmutableArray<int>[] Of(ShapeContext context)
        => context.Node is not { Domain: "com.microsoft" } node || !context.Has(0) || !context.Info(0).IsKnown ? []
        : node.Operator switch
        {
            "GroupQueryAttention" when !context.Has(1) && context[0].Length == 3 => Queries(context),
            "MultiHeadAttention" or "GroupQueryAttention" when context[0].Length == 3 && context.Has(1) && context.Has(2)
                && context.Info(2) is { IsKnown: true } values =>
                [node.Operator == "GroupQueryAttention" ? context[0] : values.Shape.Length == 3 ? [.. context[0][..2], values.Shape[2]] : default],
            "RotaryEmbedding" or "BiasSoftmax" or "GroupNorm" or "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" or "QuickGelu" => [context[0]],
            "BiasSplitGelu" when context[0] is [.., > 0] => [context[0].SetItem(context[0].Length - 1, context[0][^1] / 2)],
            "MatMulNBits" when context[0].Length > 0 && node.Int("N", 0) is > 0 and <= int.MaxValue and var columns =>
                [context[0].SetItem(context[0].Length - 1, (int)columns)],
            _ => [],
        };

    /// <summary>The operand of GroupQueryAttention that holds the keys of earlier steps; that of the values is the next.</summary>
    public const int PastKeys = 3;

    /// <summary>The operand of GroupQueryAttention that holds the number of steps, those before counted.</summary>
    public const int Total = 6;

    public static bool IsGroupedQueries(Node node) => node is { Domain: "com.microsoft", Operator: "GroupQueryAttention" };

    /// <summary>Queries, keys and values in one tensor: the result is as wide as the queries.</summary>
    private static ImmutableArray<int>[] Queries(ShapeContext context)
    {
        var (heads, shared) = (context.Node.Int("num_heads", 0), context.Node.Int("kv_num_heads", 0));
        var size = context[0][2];
        return heads > 0 && shared > 0 && size > 0 && size % (heads + 2 * shared) == 0 ? [[.. context[0][..2], (int)(size / (heads + 2 * shared) * heads)]]
            : [];
    }
}
