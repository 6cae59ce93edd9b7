using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Arithmetic, comparisons and logic, value by value, over tensors that broadcast.</summary>
internal static class ElementwiseOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        Unary("Identity", x => x), Unary("Abs", x => x.abs()), Unary("Neg", x => x.neg()), Unary("Sign", x => x.sign()), Unary("Sqrt", x => x.sqrt()),
        Unary("Reciprocal", x => x.reciprocal()), Unary("Exp", x => x.exp()), Unary("Log", x => x.log()), Unary("Sin", x => x.sin()),
        Unary("Cos", x => x.cos()),
        Unary("Tan", x => x.tan()), Unary("Asin", x => x.asin()), Unary("Acos", x => x.acos()), Unary("Atan", x => x.atan()), Unary("Sinh", x => x.sinh()),
        Unary("Cosh", x => x.cosh()), Unary("Asinh", x => x.asinh()), Unary("Acosh", x => x.acosh()), Unary("Atanh", x => x.atanh()),
        Unary("Erf", x => x.erf()), Unary("Floor", x => x.floor()), Unary("Ceil", x => x.ceil()), Unary("Round", x => x.round()),
        Unary("Not", x => x.logical_not()), Unary("IsNaN", x => x.isnan()),
        Binary("Sub", (a, b) => a - b), Binary("Mul", (a, b) => a * b), Binary("Div", Divide),
        Binary("Equal", (a, b) => a.eq(b)), Binary("Less", (a, b) => a.lt(b)), Binary("Greater", (a, b) => a.gt(b)),
        Binary("LessOrEqual", (a, b) => a.le(b)), Binary("GreaterOrEqual", (a, b) => a.ge(b)),
        Binary("And", (a, b) => a.logical_and(b)), Binary("Or", (a, b) => a.logical_or(b)), Binary("Xor", (a, b) => a.logical_xor(b)),
        Unary("BitwiseNot", x => x.bitwise_not()), Binary("BitwiseAnd", (a, b) => a.bitwise_and(b)), Binary("BitwiseOr", (a, b) => a.bitwise_or(b)),
        Binary("BitwiseXor", (a, b) => a.bitwise_xor(b)),
        new("Add", context => Fold(context, Sum())), new("Sum", context => Fold(context, Sum())),
        new("Min", context => Fold(context, (a, b) => a.minimum(b))), new("Max", context => Fold(context, (a, b) => a.maximum(b))),
        new("Mean", Mean), new("Pow", Power), new("Mod", Modulo), new("Where", Where), new("Cast", Cast), new("Clip", Clip), new("IsInf", IsInfinite),
    ];

    private static KeyValuePair<string, TorchOperators.Rule> Unary(string name, Func<Tensor, Tensor> apply) => new(name, context =>
    {
        var x = context.Input(0);
        return context.Returns(pass => apply(pass[x]));
    });

    private static KeyValuePair<string, TorchOperators.Rule> Binary(string name, Func<Tensor, Tensor, Tensor> apply) => new(name, context =>
    {
        var (a, b) = (context.Input(0), context.Input(1));
        return context.Returns(pass => apply(pass[a], pass[b]));
    });

    /// <summary>Over any number of operands, from the left.</summary>
    private static Action<Pass> Fold(OperatorContext context, Func<Tensor, Tensor, Tensor> apply)
    {
        var inputs = Enumerable.Range(0, context.Node.Inputs.Length).Select(context.Input).ToArray();
        if (inputs is [var first, var second])
        {
            return context.Returns(pass => apply(pass[first], pass[second]));
        }

        return context.ReturnsComposed(pass => inputs.Skip(1).Aggregate(pass[inputs[0]], (sum, input) => apply(sum, pass[input])));
    }

    private static Func<Tensor, Tensor, Tensor> Sum()
    {
        // An integer, which goes with tensors of floats and of integers.
        Scalar one = 1;
        return (a, b) => a.add(b, one);
    }

    private static Tensor Divide(Tensor a, Tensor b) => a.is_floating_point() ? a / b : a.div(b, RoundingMode.trunc);

    private static Action<Pass> Mean(OperatorContext context)
    {
        var inputs = Enumerable.Range(0, context.Node.Inputs.Length).Select(context.Input).ToArray();
        var sum = Sum();
        Scalar count = (double)inputs.Length;
        return context.ReturnsComposed(pass => inputs.Skip(1).Aggregate(pass[inputs[0]], (total, input) => sum(total, pass[input])).div(count));
    }

    private static Action<Pass> Power(OperatorContext context)
    {
        var (x, exponent) = (context.Input(0), context.Input(1));
        if (context.Parameter(1) is { Count: 1, Trainable: false, IsInitialized: true, Shape.Length: 0 } known)
        {
            // A square is then a product, ten times as fast as a power.
            Scalar power = (double)known.Values[0];
            return context.Returns(pass => pass[x].pow(power));
        }

        return context.Returns(pass => pass[x].pow(pass[exponent]));
    }

    private static Action<Pass> Modulo(OperatorContext context)
    {
        var (a, b) = (context.Input(0), context.Input(1));
        // Sign of the dividend with fmod, else of the divisor.
        return context.Node.Int("fmod", 0) == 1 ? context.Returns(pass => pass[a].fmod(pass[b])) : context.Returns(pass => pass[a].remainder(pass[b]));
    }

    private static Action<Pass> Where(OperatorContext context)
    {
        var (condition, a, b) = (context.Input(0), context.Input(1), context.Input(2));
        return context.Returns(pass => where(pass[condition], pass[a], pass[b]));
    }

    private static Action<Pass> Cast(OperatorContext context)
    {
        var (x, type) = (context.Input(0), context.ElementType("to", TensorType.Unknown));
        return context.Returns(pass => type == ScalarType.Float32 && pass[x].is_floating_point() ? pass[x] : pass[x].to(type));
    }

    private static Action<Pass> IsInfinite(OperatorContext context)
    {
        var (x, negative, positive) = (context.Input(0), context.Node.Int("detect_negative", 1) == 1, context.Node.Int("detect_positive", 1) == 1);
        return context.ReturnsComposed(pass => (negative, positive) switch
        {
            (true, true) => pass[x].isinf(),
            (true, false) => pass[x].isneginf(),
            (false, true) => pass[x].isposinf(),
            _ => zeros_like(pass[x], ScalarType.Bool),
        });
    }

    private static Action<Pass> Clip(OperatorContext context)
    {
        var x = context.Input(0);
        if (context.Has(1) || context.Has(2))
        {
            var (low, high) = (context.Optional(1), context.Optional(2));
            return context.ReturnsComposed(pass =>
            {
                var above = pass.Find(low) is { } least ? pass[x].maximum(least) : pass[x];
                return pass.Find(high) is { } most ? above.minimum(most) : above;
            });
        }

        var attributes = context.Node.Attributes;
        Scalar? min = attributes.ContainsKey("min") ? (double)context.Node.Float("min", 0) : null;
        Scalar? max = attributes.ContainsKey("max") ? (double)context.Node.Float("max", 0) : null;
        return min is null && max is null ? context.Returns(pass => pass[x]) : context.Returns(pass => pass[x].clamp(min, max));
    }
}
