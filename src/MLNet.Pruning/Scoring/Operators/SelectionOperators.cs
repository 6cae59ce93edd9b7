using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Operators that cut tensors up, pick from them, or add a border.</summary>
internal static class SelectionOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        new("Split", Split), new("Slice", Slice), new("Gather", Gather), new("ScatterND", Scatter), new("TensorScatter", ScatterSteps),
        new("GatherElements", GatherElements), new("ScatterElements", ScatterElements), new("Pad", Pad), new("Trilu", Triangle),
    ];

    private static Action<Pass> Split(OperatorContext context)
    {
        var (x, axis) = (context.Input(0), context.Node.Int("axis", 0));
        if (context.Integers("split", 1) is { } sizes)
        {
            return context.ReturnsAll(pass => pass[x].split(sizes(pass), axis));
        }

        var parts = context.Node.Int("num_outputs", context.Node.Outputs.Length);
        return context.ReturnsAll(pass =>
        {
            var size = pass[x].shape[Node.Resolve(axis, (int)pass[x].dim())];
            return pass[x].split((size + parts - 1) / parts, (int)axis);
        });
    }

    private static Action<Pass> Slice(OperatorContext context)
    {
        var x = context.Input(0);
        var starts = context.Integers("starts", 1) ?? throw context.Refuse("has no starts");
        var ends = context.Integers("ends", 2) ?? throw context.Refuse("has no ends");
        var (axes, steps) = (context.Integers("axes", 3), context.Integers("steps", 4));
        return context.ReturnsComposed(pass =>
        {
            var (y, from, to) = (pass[x], starts(pass), ends(pass));
            var (along, by) = (axes?.Invoke(pass), steps?.Invoke(pass));
            for (var i = 0; i < from.Length; i++)
            {
                y = Cut(y, along is null ? i : along[i], from[i], to[i], by is null ? 1 : by[i]);
            }

            return y;
        });
    }

    private static Tensor Cut(Tensor x, long axis, long start, long end, long step)
    {
        axis = Node.Resolve(axis, (int)x.dim());
        if (step > 0)
        {
            return x.slice(axis, start, end, step);
        }

        // PyTorch goes forwards only: the same positions in ascending order, turned round.
        var size = x.shape[axis];
        start = Math.Clamp(start < 0 ? start + size : start, -1, size - 1);
        end = Math.Clamp(end < 0 ? Math.Max(end, long.MinValue + size) + size : end, -1, size - 1);
        var count = Math.Max(0, (start - end - step - 1) / -step);
        return count == 0 ? x.slice(axis, 0, 0, 1) : x.slice(axis, start + (count - 1) * step, start + 1, -step).flip(axis);
    }

    private static Action<Pass> Gather(OperatorContext context)
    {
        var (x, axis) = (context.Input(0), context.Node.Int("axis", 0));
        if (context.Has(1))
        {
            return GatherComputed(context, x, axis, context.Input(1));
        }

        var indices = context.Node.Ints("indices");
        if (context.Node.Int("scalar", 0) == 1)
        {
            return context.Returns(pass => pass[x].select(axis, indices[0]));
        }

        if (indices.Any(index => index < 0))
        {
            context.Require(context.Shape(0) is { IsDefault: false } known && known[Node.Resolve(axis, known.Length)] >= 0,
                "counts from the end of an open dimension");
            var size = context.Shape(0)[Node.Resolve(axis, context.Shape(0).Length)];
            indices = [.. indices.Select(index => index < 0 ? index + size : index)];
        }

        using var scope = NewDisposeScope();
        var list = context.Own(tensor(indices));
        return context.Returns(pass => pass[x].index_select(axis, list));
    }

    /// <summary>Picks by a tensor of indices of any shape, which takes the place of the dimension: a table of embeddings with axis 0.</summary>
    private static Action<Pass> GatherComputed(OperatorContext context, int x, long axis, int indices)
    {
        return context.ReturnsComposed(pass =>
        {
            var (data, places) = (pass[x], pass[indices]);
            var at = Node.Resolve(axis, (int)data.dim());
            var flat = FromStart(places.reshape(-1), data, at);
            return data.index_select(at, flat).reshape([.. data.shape[..at], .. places.shape, .. data.shape[(at + 1)..]]);
        });
    }

    /// <summary>A copy with what the rows of indices point to replaced.</summary>
    private static Action<Pass> Scatter(OperatorContext context)
    {
        var (x, indices, updates) = (context.Input(0), context.Input(1), context.Input(2));
        context.Require(context.Node.Text("reduction", "none") == "none", "adds up what it writes (reduction)");
        return context.ReturnsComposed(pass =>
            pass[x].clone().index_put_(pass[updates], [.. pass[indices].to(ScalarType.Int64).unbind(-1).Select(TensorIndex.Tensor)]));
    }

    private static Action<Pass> GatherElements(OperatorContext context)
    {
        var (x, indices, axis) = (context.Input(0), context.Input(1), context.Node.Int("axis", 0));
        return context.ReturnsComposed(pass => pass[x].gather(axis, FromStart(pass[indices], pass[x], axis)));
    }

    private static Action<Pass> ScatterElements(OperatorContext context)
    {
        var (x, indices, updates, axis) = (context.Input(0), context.Input(1), context.Input(2), context.Node.Int("axis", 0));
        context.Require(context.Node.Text("reduction", "none") == "none", "adds up what it writes (reduction)");
        return context.ReturnsComposed(pass => pass[x].scatter(axis, FromStart(pass[indices], pass[x], axis), pass[updates]));
    }

    /// <summary>Indices along a dimension, those from its end as those from its start.</summary>
    private static Tensor FromStart(Tensor indices, Tensor x, long axis)
    {
        using Scalar zero = 0;
        using Scalar size = x.shape[Node.Resolve(axis, (int)x.dim())];
        using Scalar one = 1;
        var places = indices.to(ScalarType.Int64);
        return where(places.lt(zero), places.add(size, one), places);
    }

    /// <summary>A copy of a cache with new steps at a place of its own for each row; at the end, those of a circular one go on at its start.</summary>
    private static Action<Pass> ScatterSteps(OperatorContext context)
    {
        var (x, updates, starts, axis) = (context.Input(0), context.Input(1), context.Optional(2), context.Node.Int("axis", -2));
        var isCircular = context.Node.Text("mode", "linear") == "circular";
        return context.ReturnsComposed(pass =>
        {
            var (cache, steps) = (pass[x], pass[updates]);
            var along = Node.Resolve(axis, (int)cache.dim());
            long[] order = [.. Enumerable.Range(0, checked((int)steps.shape[along])).Select(i => (long)i)];
            var places = tensor(order, device: steps.device).reshape(Beside(along, -1));
            using Scalar one = 1;
            using Scalar size = cache.shape[along];
            places = starts == OperatorContext.Absent ? places : places.add(pass[starts].to(ScalarType.Int64).reshape(Beside(0, -1)), one);
            places = isCircular ? places.remainder(size) : places;
            return cache.scatter(along, places.expand(steps.shape), steps);

            long[] Beside(long dimension, long length) => [.. Enumerable.Range(0, (int)cache.dim()).Select(d => d == dimension ? length : 1)];
        });
    }

    private static Action<Pass> Pad(OperatorContext context)
    {
        var (x, mode) = (context.Input(0), context.Node.Text("mode", "constant"));
        var pads = context.Integers("pads", 1) ?? throw context.Refuse("has no padding");
        context.Require(!context.Has(2) && !context.Has(3), "pads with a value, or along axes, that are computed");
        var value = context.Node.Float("value", 0);
        Func<long, long, long> place = mode switch
        {
            "constant" => (_, _) => 0,
            "edge" => (i, size) => Math.Clamp(i, 0, size - 1),
            "reflect" => (i, size) => size == 1 ? 0 : size - 1 - Math.Abs(size - 1 - ((i % (2 * size - 2)) + 2 * size - 2) % (2 * size - 2)),
            "wrap" => (i, size) => ((i % size) + size) % size,
            _ => throw context.Refuse($"pads by '{mode}'"),
        };
        if (mode == "constant")
        {
            return context.Returns(pass => F.pad(pass[x], Window.Innermost(pads(pass)), PaddingModes.Constant, value));
        }

        // Each dimension by picking: PyTorch's own repeats borders only of the last dimensions.
        return context.ReturnsComposed(pass =>
        {
            var (y, border) = (pass[x], pads(pass));
            var rank = border.Length / 2;
            for (var axis = 0; axis < rank; axis++)
            {
                var (before, after, size) = (border[axis], border[rank + axis], y.shape[axis]);
                if (before != 0 || after != 0)
                {
                    long[] places = [.. Enumerable.Range(0, checked((int)(size + before + after))).Select(i => place(i - before, size))];
                    y = y.index_select(axis, tensor(places, device: y.device));
                }
            }

            return y;
        });
    }

    private static Action<Pass> Triangle(OperatorContext context)
    {
        var (x, upper) = (context.Input(0), context.Node.Int("upper", 1) == 1);
        var diagonal = context.Integers("k", 1);
        return context.Returns(pass => diagonal?.Invoke(pass)[0] is var k && upper ? pass[x].triu(k ?? 0) : pass[x].tril(k ?? 0));
    }
}
