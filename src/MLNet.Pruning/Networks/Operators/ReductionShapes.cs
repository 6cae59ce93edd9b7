namespace MLNet.Pruning.Networks.Operators;

/// <summary>Operators that fold dimensions to one value.</summary>
internal static class ReductionShapes
{
    public static IEnumerable<Operator> Operators { get; } =
    [
        .. Reductions(Zeros.OfFirst, "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"),
        .. Reductions(Zeros.Lost, "ReduceLogSumExp"), .. Reductions(Zeros.Infinite, "ReduceLogSum"),
        .. new[] { "ArgMax", "ArgMin" }.Select(name => new Operator(name, ArgMax) { Over = (node, rank, _) => [node.Axis(rank, 0)], Type = TensorType.Int64 }),
        new("TopK", TopK) { Over = (node, rank, _) => [node.Axis(rank, -1)] },
    ];

    private static IEnumerable<Operator> Reductions(Zeros zeros, params string[] names)
        => names.Select(name => new Operator(name, Reduce)
        {
            Zeros = zeros, Over = (node, rank, _) => node.Inputs.Length > 1 ? Enumerable.Range(0, rank) : Axes(node, rank),
        });

    /// <summary>The reduced dimensions in ascending order, all where none is named; none where the node says that none means none.</summary>
    private static int[] Axes(Node node, int rank) => node.Axes(rank) is { Length: > 0 } axes ? [.. axes.Distinct().Order()]
        : node.Int("noop_with_empty_axes", 0) == 1 ? [] : [.. Enumerable.Range(0, rank)];

    private static ImmutableArray<int>[] Reduce(ShapeContext context)
        => context.Count > 1 ? [context.Node.Int("keepdims", 1) == 1 ? context.Computed(context[0].Length) : default]
            : [Without(context[0], Reduced(context), context.Node.Int("keepdims", 1) == 1)];

    private static int[] Reduced(ShapeContext context)
    {
        foreach (var axis in context.Node.Ints("axes"))
        {
            context.Axis(axis, context[0].Length);
        }

        return Axes(context.Node, context[0].Length);
    }

    private static ImmutableArray<int>[] ArgMax(ShapeContext context)
        => [Without(context[0], [context.Axis(context.Node.Int("axis", 0), context[0].Length)], context.Node.Int("keepdims", 1) == 1)];

    private static ImmutableArray<int>[] TopK(ShapeContext context)
    {
        var axis = context.Axis(context.Node.Int("axis", -1), context[0].Length);
        if (context.Count > 1)
        {
            return [context[0].SetItem(axis, context.ComputedSize(0, axis)), context[0].SetItem(axis, context.ComputedSize(0, axis))];
        }

        var shape = context[0].SetItem(axis, context.Number("k", 1, 0, context[0][axis] < 0 ? int.MaxValue : context[0][axis]));
        return [shape, shape];
    }

    private static ImmutableArray<int> Without(ImmutableArray<int> shape, int[] axes, bool keep)
        => [.. shape.Select((size, i) => axes.Contains(i) ? 1 : size).Where((_, i) => keep || !axes.Contains(i))];
}
