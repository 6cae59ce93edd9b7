using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Operators that fold dimensions to one value, find extremes, or add up along a dimension.</summary>
internal static class ReductionOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        Reduce("ReduceMean", (x, axes, keep) => x.mean(axes, keep)), Reduce("ReduceSum", (x, axes, keep) => x.sum(axes, keep)),
        Reduce("ReduceMax", (x, axes, keep) => x.amax(axes, keep)), Reduce("ReduceMin", (x, axes, keep) => x.amin(axes, keep)),
        Reduce("ReduceL1", (x, axes, keep) => x.abs().sum(axes, keep)), Reduce("ReduceSumSquare", (x, axes, keep) => (x * x).sum(axes, keep)),
        Reduce("ReduceLogSum", (x, axes, keep) => x.sum(axes, keep).log()),
        Reduce("ReduceProd", (x, axes, keep) => OneByOne(x, axes, (y, axis) => y.prod(axis, keep))),
        // By norms of norms: unlike the root of a sum of squares they have a gradient where all is zero.
        Reduce("ReduceL2", (x, axes, keep) => OneByOne(x, axes, (y, axis) => y.norm((int)axis, keep, 2))),
        Reduce("ReduceLogSumExp", (x, axes, keep) => OneByOne(x, axes, (y, axis) => y.logsumexp(axis, keep))),
        new("ArgMax", context => Extreme(context, (x, axis, keep) => x.argmax(axis, keep))),
        new("ArgMin", context => Extreme(context, (x, axis, keep) => x.argmin(axis, keep))),
        new("TopK", TopK), new("CumSum", CumulativeSum), new("CumProd", CumulativeProduct),
    ];

    private static KeyValuePair<string, TorchOperators.Rule> Reduce(string name, Func<Tensor, long[], bool, Tensor> fold) => new(name, context =>
    {
        var (x, keep, nothing) = (context.Input(0), context.Node.Int("keepdims", 1) == 1, context.Node.Int("noop_with_empty_axes", 0) == 1);
        var axes = context.Integers("axes", 1);
        return context.ReturnsComposed(pass =>
        {
            var named = axes?.Invoke(pass) ?? [];
            return named.Length > 0 ? fold(pass[x], named, keep)
                : nothing ? pass[x]
                : fold(pass[x], [.. Enumerable.Range(0, (int)pass[x].dim()).Select(axis => (long)axis)], keep);
        });
    });

    /// <summary>The last dimension first, so that the others keep their places.</summary>
    private static Tensor OneByOne(Tensor x, long[] axes, Func<Tensor, long, Tensor> fold)
        => axes.Select(axis => (long)Node.Resolve(axis, (int)x.dim())).OrderDescending().Aggregate(x, fold);

    private static Action<Pass> Extreme(OperatorContext context, Func<Tensor, long, bool, Tensor> find)
    {
        var (x, axis, keep) = (context.Input(0), context.Node.Int("axis", 0), context.Node.Int("keepdims", 1) == 1);
        if (context.Node.Int("select_last_index", 0) == 0)
        {
            return context.Returns(pass => find(pass[x], axis, keep));
        }

        return context.ReturnsComposed(pass =>
        {
            using Scalar last = pass[x].shape[Node.Resolve(axis, (int)pass[x].dim())] - 1;
            using Scalar one = 1;
            return find(pass[x].flip(axis), axis, keep).neg().add(last, one);
        });
    }

    private static Action<Pass> TopK(OperatorContext context)
    {
        var (x, axis) = (context.Input(0), (int)context.Node.Int("axis", -1));
        var (largest, sorted) = (context.Node.Int("largest", 1) == 1, context.Node.Int("sorted", 1) == 1);
        var count = context.Integers("k", 1) ?? throw context.Refuse("has no number of values to take");
        return context.ReturnsAll(pass =>
        {
            var (values, indices) = pass[x].topk(checked((int)count(pass)[0]), axis, largest, sorted);
            return [values, indices];
        });
    }

    private static Action<Pass> CumulativeSum(OperatorContext context) => Cumulative(context, (y, axis, exclusive) =>
    {
        var sum = y.cumsum(axis, y.dtype);
        return exclusive ? sum - y : sum;
    });

    private static Action<Pass> CumulativeProduct(OperatorContext context) => Cumulative(context, (y, axis, exclusive) =>
    {
        var product = y.cumprod(axis, y.dtype);
        // Moved by one behind a one: division would not undo a factor of zero.
        return exclusive && y.shape[Node.Resolve(axis, (int)y.dim())] is > 0 and var size
            ? cat([ones_like(y.narrow(axis, 0, 1)), product.narrow(axis, 0, size - 1)], axis) : product;
    });

    /// <summary>What is computed along an axis from its beginning, or from its end.</summary>
    private static Action<Pass> Cumulative(OperatorContext context, Func<Tensor, long, bool, Tensor> run)
    {
        var (x, reverse, exclusive) = (context.Input(0), context.Node.Int("reverse", 0) == 1, context.Node.Int("exclusive", 0) == 1);
        var along = context.Integers("axis", 1) ?? throw context.Refuse("has no axis");
        return context.ReturnsComposed(pass =>
        {
            var axis = along(pass)[0];
            return reverse ? run(pass[x].flip(axis), axis, exclusive).flip(axis) : run(pass[x], axis, exclusive);
        });
    }
}
