using System.Collections.Immutable;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>Operators that work value by value, over one tensor or over several that broadcast.</summary>
internal static class ElementwiseShapes
{
    /// <summary>Those that mix values of one tensor and keep its shape.</summary>
    private static readonly string[] s_mixing = ["Softmax", "LogSoftmax", "Hardmax", "CumSum", "CumProd", "LRN", "LpNormalization", "Trilu"];

    private static readonly string[] s_broadcasting =
    [
        "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mean", "Sum", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor",
        "Where", "Mod", "PRelu",
    ];

    public static IEnumerable<KeyValuePair<string, ShapeInference.Rule>> Rules { get; } =
    [
        .. UnaryOperators.All.Concat(s_mixing).Select(name => KeyValuePair.Create<string, ShapeInference.Rule>(name, Unary)), new("TensorScatter", Cache),
        .. s_broadcasting.Select(name => KeyValuePair.Create<string, ShapeInference.Rule>(name, Broadcast)),
        new("BatchNormalization", Normalization), new("InstanceNormalization", Normalization),
        new("QuantizeLinear", Quantization), new("DequantizeLinear", Quantization),
        new("LayerNormalization", LayerNormalization), new("GroupNormalization", GroupNormalization),
    ];

    private static ImmutableArray<int>[] Unary(ShapeContext context)
    {
        var x = context[0];
        if (context.Node.Operator is "Softmax" or "LogSoftmax" or "Hardmax" or "LpNormalization" or "CumSum" or "CumProd" && x.Length > 0)
        {
            context.Axis(context.Node.Int("axis", context.Node.Operator is "CumSum" or "CumProd" ? 0 : -1), x.Length);
        }

        context.Require(context.Node.Operator switch { "LRN" => x.Length >= 2, "Trilu" => x.Length >= 2, "Softmax" or "LogSoftmax" or "LpNormalization" or "CumSum" or "CumProd" => x.Length >= 1, _ => true }, 0, "more dimensions");
        for (var i = 1; i < context.Count; i++)
        {
            context.Require(!context.Has(i) || context[i].All(size => ShapeContext.Fit(size, 1)), i, "a single number");
        }

        return [x, x];
    }

    /// <summary>Steps written to places along one dimension of a cache.</summary>
    private static ImmutableArray<int>[] Cache(ShapeContext context)
    {
        var (x, steps) = (context[0], context[1]);
        var axis = context.Axis(context.Node.Int("axis", -2), x.Length);
        context.Require(axis > 0, 0, "an axis behind that of the rows");
        context.Require(steps.Length == x.Length && x.Zip(steps).Select((pair, d) => d == axis || ShapeContext.Fit(pair.First, pair.Second)).All(fits => fits), 1,
            $"the dimensions of the cache, {TensorInfo.Dimensions(x)}, and steps along dimension {axis}");
        if (context.Has(2))
        {
            context.Require(context[2] is [var rows] && ShapeContext.Fit(rows, x[0]), 2, "a place for each row");
        }

        return [x];
    }

    /// <summary>With one scale, or one for each index of the axis, or one for each block of it.</summary>
    private static ImmutableArray<int>[] Quantization(ShapeContext context)
    {
        var x = context[0];
        for (var i = 1; i < context.Count; i++)
        {
            if (context.Has(i) && context[i].Length == 1 && context[i][0] != 1)
            {
                var axis = context.Axis(context.Node.Int("axis", 1), x.Length);
                context.Require(ShapeContext.Fit(context[i][0], x[axis]), i, $"{x[axis]} numbers, one for each index of dimension {axis}");
            }
        }

        return [x];
    }

    private static ImmutableArray<int>[] Broadcast(ShapeContext context)
    {
        var shape = context[0];
        for (var i = 1; i < context.Count; i++)
        {
            shape = Broadcast(context, shape, i);
        }

        return [shape];
    }

    private static ImmutableArray<int> Broadcast(ShapeContext context, ImmutableArray<int> a, int input)
    {
        var b = context[input];
        var shape = new int[Math.Max(a.Length, b.Length)];
        for (var i = 0; i < shape.Length; i++)
        {
            var (x, y) = (FromRight(a, i), FromRight(b, i));
            context.Require(x == 1 || y == 1 || ShapeContext.Fit(x, y), input, $"a shape that goes with that of the others, {TensorInfo.Dimensions(a)}");
            shape[^(i + 1)] = x == 1 ? y : y == 1 || y < 0 ? x : y;
        }

        return [.. shape];
    }

    private static int FromRight(ImmutableArray<int> shape, int i) => i < shape.Length ? shape[shape.Length - 1 - i] : 1;

    private static ImmutableArray<int>[] Normalization(ShapeContext context)
    {
        var channels = Channels(context);
        context.Require(context[0].Length >= 2 && ShapeContext.Fit(context[0][1], channels), 0, $"{channels} channels");
        return [context[0]];
    }

    private static ImmutableArray<int>[] GroupNormalization(ShapeContext context)
    {
        var (x, groups) = (context[0], context.Number("num_groups", 1, 1));
        // Before opset 21 there was a scale for each group, since then one for each channel.
        var scales = Channels(context);
        context.Require(x.Length >= 2 && (x[1] < 0 || (x[1] % groups == 0 && (scales == x[1] || scales == groups))), 0, $"channels in {groups} groups, {scales} scales");
        return [x];
    }

    /// <summary>Scales and what else is given for each channel.</summary>
    private static int Channels(ShapeContext context)
    {
        context.Require(context[1].Length == 1, 1, "one dimension");
        for (var i = 2; i < context.Count; i++)
        {
            context.RequireVector(i, context[1][0]);
        }

        return context[1][0];
    }

    private static ImmutableArray<int>[] LayerNormalization(ShapeContext context)
    {
        var x = context[0];
        context.Axis(context.Node.Int("axis", -1), x.Length);
        for (var i = 1; i < context.Count; i++)
        {
            if (context.Has(i))
            {
                var scale = context[i];
                context.Require(scale.Length <= x.Length && Enumerable.Range(0, scale.Length).All(d => FromRight(scale, d) == 1 || ShapeContext.Fit(FromRight(scale, d), FromRight(x, d))), i,
                    $"a shape that goes with {TensorInfo.Dimensions(x)}");
            }
        }

        return [x];
    }
}
