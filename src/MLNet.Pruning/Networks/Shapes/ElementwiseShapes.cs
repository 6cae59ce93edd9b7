using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Operators that work value by value, over one tensor or over several that broadcast.</summary>
internal static class ElementwiseShapes
{
    private static readonly string[] s_unary =
    [
        "Relu", "LeakyRelu", "Gelu", "Tanh", "Sigmoid", "Softmax", "LogSoftmax", "Hardmax", "Dropout", "HardSwish", "HardSigmoid", "Elu", "Selu", "Celu", "Softplus",
        "Softsign", "Mish", "Swish", "ThresholdedRelu", "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg", "Ceil", "Floor", "Round", "Sign", "Reciprocal", "Sin", "Cos",
        "Identity", "Cast", "Clip", "CumSum", "Not", "IsNaN", "LRN", "LpNormalization", "Trilu",
    ];

    private static readonly string[] s_broadcasting =
    [
        "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Mean", "Sum", "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor",
        "Where", "Mod", "PRelu",
    ];

    public static IEnumerable<KeyValuePair<string, ShapeInference.Rule>> Rules { get; } =
    [
        .. s_unary.Select(name => KeyValuePair.Create<string, ShapeInference.Rule>(name, context => [context[0], context[0]])),
        .. s_broadcasting.Select(name => KeyValuePair.Create<string, ShapeInference.Rule>(name, Broadcast)),
        new("BatchNormalization", Normalization), new("InstanceNormalization", Normalization),
        new("LayerNormalization", context => [context[0]]), new("GroupNormalization", context => [context[0]]),
    ];

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
        var channels = context[1][0];
        context.Require(context[0].Length >= 2 && ShapeContext.Fit(context[0][1], channels), 0, $"{channels} channels");
        return [context[0]];
    }
}
