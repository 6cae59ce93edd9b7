using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>Operators that work value by value, over one tensor or over several that broadcast.</summary>
internal static class ElementwiseShapes
{
    public static IEnumerable<Operator> Operators { get; } =
    [
        .. Unary(Zeros.OfFirst, "Relu", "LeakyRelu", "Gelu", "Dropout", "HardSwish", "Elu", "Selu", "Celu", "Softsign", "Mish", "Swish",
            "ThresholdedRelu", "Erf", "Sqrt", "Abs", "Neg", "Ceil", "Floor", "Round", "Sign", "Sin",
            "Tan", "Asin", "Atan", "Sinh", "Tanh", "Asinh", "Atanh"),
        .. Unary(Zeros.Lost, "Sigmoid", "HardSigmoid", "Softplus", "Exp", "Cos", "Acos", "Cosh", "Clip", "Shrink", "BitwiseNot"),
        .. Unary(Zeros.Lost, "Not", "IsNaN", "IsInf").Select(Boolean),
        .. Unary(Zeros.Infinite, "Log", "Reciprocal", "Acosh"),
        .. Unary(Zeros.OfFirst, "Identity", "Cast").Select(one => one with { Values = Values.Shown }),
        .. Joining(Zeros.OfEvery, "Add", "Sub", "Min", "Max", "Mean", "Sum", "BitwiseOr", "BitwiseXor"), .. Joining(Zeros.OfEvery, "Or", "Xor").Select(Boolean),
        .. Joining(Zeros.OfAny, "Mul", "BitwiseAnd"), .. Joining(Zeros.OfAny, "And").Select(Boolean),
        .. Joining(Zeros.OfFirst, "Div", "Mod"),
        .. Joining(Zeros.OfFirst, "PRelu").Select(one => one with { Trained = [1] }),
        .. Joining(Zeros.OfBranches, "Where"),
        .. Joining(Zeros.Lost, "Pow"), .. Joining(Zeros.Lost, "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual").Select(Boolean),
        new("Softmax", Softmax) { Over = Softmaxed }, new("LogSoftmax", Softmax) { Over = Softmaxed }, new("Hardmax", Softmax) { Over = Softmaxed },
        new("LpNormalization", context => Along(context, -1)) { Over = (node, rank, _) => [node.Axis(rank, -1)] },
        new("CumSum", context => Along(context, 0)) { Over = (node, rank, _) => [node.Axis(rank, 0)], Zeros = Zeros.OfFirst },
        // An exclusive product begins with a one.
        new("CumProd", context => Along(context, 0)) { Over = (node, rank, _) => [node.Axis(rank, 0)] },
        new("LRN", Matrices) { Over = (_, _, _) => [1], Zeros = Zeros.OfFirst },
        new("Trilu", Matrices) { Over = (_, rank, _) => [rank - 2, rank - 1], Zeros = Zeros.OfFirst },
        new("TensorScatter", Cache),
        new("QuantizeLinear", Quantization) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst },
        // The range of what it rounds always reaches to zero.
        new("DynamicQuantizeLinear", context => [context[0], [], []]) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst },
        new("DequantizeLinear", Quantization) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst },
        new(Node.FakeQuantize, Quantization) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst, Values = Values.Shown },
        new(Node.FakeCodebook, context => [context[0]]) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst, Values = Values.Shown },
        new("BatchNormalization", Normalization) { Over = (_, _, _) => [], Scaled = 1, Trained = [1, 2] },
        new("InstanceNormalization", Normalization) { Over = (_, rank, _) => Enumerable.Range(2, rank - 2), Scaled = 1, Trained = [1, 2] },
        new("GroupNormalization", GroupNormalization) { Over = (_, rank, _) => Enumerable.Range(1, rank - 1), Scaled = 1, Trained = [1, 2] },
        new("LayerNormalization", LayerNormalization)
        {
            Over = (node, rank, _) => Enumerable.Range(node.Axis(rank, -1), rank - node.Axis(rank, -1)), Scaled = -1, Trained = [1, 2],
        },
    ];

    /// <summary>Along one dimension; before version 13 along all from that on.</summary>
    private static IEnumerable<int> Softmaxed(Node node, int rank, long opset)
        => node.Axis(rank, -1) is var axis && opset < NetworkParts.SoftmaxOfOneDimension ? Enumerable.Range(axis, rank - axis) : [axis];

    private static Operator Boolean(Operator one) => one with { Type = TensorType.Bool };

    private static IEnumerable<Operator> Unary(Zeros zeros, params string[] names)
        => names.Select(name => new Operator(name, Unary) { IsElementwise = true, IsUnary = true, Zeros = zeros });

    private static IEnumerable<Operator> Joining(Zeros zeros, params string[] names)
        => names.Select(name => new Operator(name, Broadcast) { IsElementwise = true, Zeros = zeros });

    /// <summary>The shape of the first operand; others, such as bounds, are single numbers.</summary>
    private static ImmutableArray<int>[] Unary(ShapeContext context)
    {
        for (var i = 1; i < context.Count; i++)
        {
            context.Require(!context.Has(i) || context[i].All(size => ShapeContext.Fit(size, 1)), i, "a single number");
        }

        return [context[0], context[0]];
    }

    private static ImmutableArray<int>[] Softmax(ShapeContext context) => Along(context, -1);

    /// <param name="context">A node that works along a dimension.</param>
    /// <param name="otherwise">The dimension where it names none.</param>
    private static ImmutableArray<int>[] Along(ShapeContext context, int otherwise)
    {
        context.Require(context[0].Length >= 1, 0, "more dimensions");
        context.Axis(context.Node.Int("axis", otherwise), context[0].Length);
        return Unary(context);
    }

    private static ImmutableArray<int>[] Matrices(ShapeContext context)
    {
        context.Require(context[0].Length >= 2, 0, "more dimensions");
        return Unary(context);
    }

    /// <summary>Steps written to places along one dimension of a cache.</summary>
    private static ImmutableArray<int>[] Cache(ShapeContext context)
    {
        var (x, steps) = (context[0], context[1]);
        var axis = context.Axis(context.Node.Int("axis", -2), x.Length);
        context.Require(axis > 0, 0, "an axis behind that of the rows");
        context.Require(steps.Length == x.Length && x.Zip(steps).Select((pair, d) => d == axis || ShapeContext.Fit(pair.First, pair.Second)).All(fits => fits),
            1,
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
        context.Require(x.Length >= 2 && (x[1] < 0 || (x[1] % groups == 0 && (scales == x[1] || scales == groups))), 0,
            $"channels in {groups} groups, {scales} scales");
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
                context.Require(scale.Length <= x.Length && Enumerable.Range(0, scale.Length)
                    .All(d => FromRight(scale, d) == 1 || ShapeContext.Fit(FromRight(scale, d), FromRight(x, d))), i,
                    $"a shape that goes with {TensorInfo.Dimensions(x)}");
            }
        }

        return [x];
    }
}
