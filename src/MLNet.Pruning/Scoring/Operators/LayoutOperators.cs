using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Operators that give the same values another shape or order, and those that tell or take shapes.</summary>
internal static class LayoutOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        new("Flatten", Flatten), new("Reshape", Reshape), new("Transpose", Transpose), new("Squeeze", Squeeze), new("Unsqueeze", Unsqueeze),
        new("Expand", Expand), new("Tile", Tile), new("Concat", Concat), new("DepthToSpace", DepthToSpace), new("SpaceToDepth", SpaceToDepth),
        new("ConstantOfShape", ConstantOfShape), new("Shape", Shape), new("Size", Size), new("Range", Range), new(Node.Dimensions, Dimensions),
    ];

    private static Action<Pass> Flatten(OperatorContext context)
    {
        var (x, axis) = (context.Input(0), context.Node.Int("axis", 1));
        return axis == 1 ? context.Returns(pass => pass[x].dim() == 1 ? pass[x].unsqueeze(1) : pass[x].flatten(1)) : context.Returns(pass =>
        {
            var shape = pass[x].shape;
            var rows = shape.Take(Node.Resolve(axis, shape.Length)).Aggregate(1L, (product, size) => product * size);
            return pass[x].reshape(rows, pass[x].numel() / Math.Max(1, rows));
        });
    }

    private static Action<Pass> Reshape(OperatorContext context)
    {
        var x = context.Input(0);
        var keepsZeros = context.Node.Int("allowzero", 0) == 1;
        if (!context.Node.Attributes.ContainsKey("shape"))
        {
            var target = context.Integers("shape", 1) ?? throw context.Refuse("has no target");
            return context.Returns(pass => pass[x].reshape([.. target(pass).Select((size, i) => size == 0 && !keepsZeros ? pass[x].shape[i] : size)]));
        }

        var shape = context.Node.Ints("shape");
        if (shape.Count(size => size < 0) <= 1 && !shape.Contains(0))
        {
            // PyTorch works the one open size out itself.
            long[] inferred = [.. shape.Select(size => Math.Max(size, -1))];
            return context.Returns(pass => pass[x].reshape(inferred));
        }

        var sizes = context.Sizes(shape);
        return context.Returns(pass => pass[x].reshape(sizes(pass)));
    }

    private static Action<Pass> Transpose(OperatorContext context)
    {
        var (x, order) = (context.Input(0), context.Node.Ints("perm"));
        return context.Returns(pass => pass[x].permute(order.Length > 0 ? order : [.. Enumerable.Range(1, (int)pass[x].dim()).Select(i => pass[x].dim() - i)]));
    }

    private static Action<Pass> Squeeze(OperatorContext context)
    {
        var x = context.Input(0);
        if (context.Integers("axes", 1) is { } axes)
        {
            return context.ReturnsComposed(pass => Descending(axes(pass), pass[x].dim()).Aggregate(pass[x], (y, axis) => y.squeeze(axis)));
        }

        context.Require(!context.Shape(0).IsDefault, "drops dimensions that are not known");
        var ones = context.Shape(0).Select((size, i) => (size, i)).Where(dimension => dimension.size == 1).Select(dimension => (long)dimension.i).Reverse()
            .ToArray();
        return context.ReturnsComposed(pass => ones.Aggregate(pass[x], (y, axis) => y.squeeze(axis)));
    }

    private static Action<Pass> Unsqueeze(OperatorContext context)
    {
        var x = context.Input(0);
        var axes = context.Integers("axes", 1) ?? throw context.Refuse("has no axes");
        return context.ReturnsComposed(pass =>
        {
            var added = axes(pass);
            return Descending(added, pass[x].dim() + added.Length).Reverse().Aggregate(pass[x], (y, axis) => y.unsqueeze(axis));
        });
    }

    private static IEnumerable<long> Descending(long[] axes, long rank) => axes.Select(axis => (long)Node.Resolve(axis, (int)rank)).OrderDescending();

    private static Action<Pass> Expand(OperatorContext context)
    {
        var x = context.Input(0);
        var target = context.Node.Attributes.ContainsKey("shape") ? context.Sizes(context.Node.Ints("shape"))
            : context.Integers("shape", 1) ?? throw context.Refuse("has no target");
        return context.Returns(pass =>
        {
            // Both sides broadcast: a 1 in the target keeps what is there.
            var (from, to) = (pass[x].shape, target(pass));
            var rank = Math.Max(from.Length, to.Length);
            return pass[x].expand([.. Enumerable.Range(0, rank).Select(i =>
            {
                var (kept, wanted) = (i - rank + from.Length is >= 0 and var a ? from[a] : 1, i - rank + to.Length is >= 0 and var b ? to[b] : 1);
                return wanted == 1 ? kept : wanted;
            })]);
        });
    }

    private static Action<Pass> Tile(OperatorContext context)
    {
        var x = context.Input(0);
        var repeats = context.Integers("repeats", 1) ?? throw context.Refuse("has no repeats");
        return context.Returns(pass => pass[x].repeat(repeats(pass)));
    }

    private static Action<Pass> Concat(OperatorContext context)
    {
        var inputs = Enumerable.Range(0, context.Node.Inputs.Length).Select(context.Input).ToArray();
        var axis = context.Node.Int("axis", 0);
        return context.Returns(pass => cat([.. inputs.Select(input => pass[input])], axis));
    }

    private static Action<Pass> DepthToSpace(OperatorContext context)
    {
        var (x, block, depthFirst) = (context.Input(0), context.Node.Int("blocksize", 1), context.Node.Text("mode", "DCR") == "DCR");
        return context.ReturnsComposed(pass =>
        {
            var shape = pass[x].shape;
            var (n, c, h, w) = (shape[0], shape[1] / (block * block), shape[2], shape[3]);
            var blocks = depthFirst ? pass[x].reshape(n, block, block, c, h, w).permute(0, 3, 4, 1, 5, 2)
                : pass[x].reshape(n, c, block, block, h, w).permute(0, 1, 4, 2, 5, 3);
            return blocks.reshape(n, c, h * block, w * block);
        });
    }

    private static Action<Pass> SpaceToDepth(OperatorContext context)
    {
        var (x, block) = (context.Input(0), context.Node.Int("blocksize", 1));
        return context.ReturnsComposed(pass =>
        {
            var shape = pass[x].shape;
            var (n, c, h, w) = (shape[0], shape[1], shape[2] / block, shape[3] / block);
            return pass[x].reshape(n, c, h, block, w, block).permute(0, 3, 5, 1, 2, 4).reshape(n, c * block * block, h, w);
        });
    }

    private static Action<Pass> ConstantOfShape(OperatorContext context)
    {
        var target = context.Node.Attributes.ContainsKey("shape") ? context.Sizes(context.Node.Ints("shape"))
            : context.Integers("shape", 0) ?? throw context.Refuse("has no shape");
        var type = context.ElementType("dtype", TensorType.Float);
        Scalar value = (double)context.Node.Float("value", 0);
        return context.Returns(pass => full(target(pass), value, type, context.Device));
    }

    private static Action<Pass> Shape(OperatorContext context)
    {
        var (x, start, end) = (context.Input(0), context.Node.Int("start", 0), context.Node.Int("end", long.MaxValue));
        return context.Returns(pass =>
        {
            var shape = pass[x].shape;
            var from = Math.Clamp(start < 0 ? start + shape.Length : start, 0, shape.Length);
            var to = Math.Clamp(end < 0 ? end + shape.Length : end, from, shape.Length);
            return tensor(shape[(int)from..(int)to], device: context.Device);
        });
    }

    private static Action<Pass> Size(OperatorContext context)
    {
        var x = context.Input(0);
        return context.Returns(pass => tensor(pass[x].numel(), device: context.Device));
    }

    private static Action<Pass> Range(OperatorContext context)
    {
        context.Require(context.Network.Find(context.Node.Inputs[0]) is { Type: TensorType.Int64 or TensorType.Int32 },
            "counts in other numbers than integers");
        var like = context.Input(0);
        var (start, limit, delta) = (context.Integers("", 0)!, context.Integers("", 1)!, context.Integers("", 2)!);
        return context.Returns(pass =>
        {
            using Scalar from = start(pass)[0], to = limit(pass)[0], by = delta(pass)[0];
            return arange(from, to, by, pass[like].dtype, context.Device);
        });
    }

    private static Action<Pass> Dimensions(OperatorContext context)
    {
        var (sizes, scalar) = (context.Sizes(context.Node.Ints("shape")), context.Node.Int("scalar", 0) == 1);
        return context.Returns(pass => scalar ? tensor(sizes(pass)[0], device: context.Device) : tensor(sizes(pass), device: context.Device));
    }
}
