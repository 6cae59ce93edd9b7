using System.Collections.Immutable;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>Operators that fold dimensions to one value.</summary>
internal static class ReductionShapes
{
    private static readonly string[] s_reductions =
        ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"];

    public static IEnumerable<KeyValuePair<string, ShapeInference.Rule>> Rules { get; } =
    [
        .. s_reductions.Select(name => KeyValuePair.Create<string, ShapeInference.Rule>(name, Reduce)),
        new("ArgMax", ArgMax), new("ArgMin", ArgMax), new("TopK", TopK),
    ];

    /// <summary>The reduced dimensions in ascending order, all where none is named; none where the node says that none means none.</summary>
    public static int[] Axes(ShapeContext context)
    {
        var axes = context.Node.Ints("axes");
        return axes.Length > 0 ? [.. axes.Select(axis => context.Axis(axis, context[0].Length)).Distinct().Order()]
            : context.Node.Int("noop_with_empty_axes", 0) == 1 ? [] : [.. Enumerable.Range(0, context[0].Length)];
    }

    private static ImmutableArray<int>[] Reduce(ShapeContext context)
        => context.Count > 1 ? [context.Node.Int("keepdims", 1) == 1 ? context.Computed(context[0].Length) : default] : [Without(context[0], Axes(context), context.Node.Int("keepdims", 1) == 1)];

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
