using MLNet.Pruning.Networks.Graph;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Activations of one tensor, softmax and dropout.</summary>
internal static class ActivationOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        Simple("Relu", x => F.relu(x)), Simple("Tanh", x => x.tanh()), Simple("Sigmoid", x => x.sigmoid()), Simple("HardSwish", x => x.hardswish()),
        new("Softplus", Softplus), new("LeakyRelu", LeakyRelu), new("Elu", Elu), new("Selu", Selu), new("Celu", Celu), new("Gelu", Gelu),
        new("HardSigmoid", HardSigmoid), new("Softsign", Softsign), new("Mish", Mish), new("Swish", Swish), new("ThresholdedRelu", ThresholdedRelu),
        new("Shrink", Shrink),
        new("PRelu", PRelu), new("Softmax", context => Softmax(context, (x, axis) => F.softmax(x, axis))),
        new("LogSoftmax", context => Softmax(context, (x, axis) => x.log_softmax(axis))), new("Hardmax", context => Softmax(context, OneOfLargest)),
        new("Dropout", Dropout),
    ];

    private static KeyValuePair<string, TorchOperators.Rule> Simple(string name, Func<Tensor, Tensor> apply) => new(name, context =>
    {
        var x = context.Input(0);
        return context.Returns(pass => apply(pass[x]));
    });

    private static Action<Pass> LeakyRelu(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar slope = context.Node.Float("alpha", 0.01f);
        return context.Returns(pass => pass[x].leaky_relu(slope));
    }

    private static Action<Pass> Elu(OperatorContext context) => Exponential(context, context.Node.Float("alpha", 1), 1, 1);

    private static Action<Pass> Selu(OperatorContext context)
        => Exponential(context, context.Node.Float("alpha", 1.67326319217681884765625f), context.Node.Float("gamma", 1.05070102214813232421875f), 1);

    private static Action<Pass> Celu(OperatorContext context)
    {
        var alpha = context.Node.Float("alpha", 1);
        return Exponential(context, alpha, 1, 1 / (double)alpha);
    }

    /// <summary>scale x where positive, else scale alpha (exp(inner x) - 1).</summary>
    private static Action<Pass> Exponential(OperatorContext context, double alpha, double scale, double inner)
    {
        var x = context.Input(0);
        Scalar a = alpha, s = scale, i = inner;
        return context.Returns(pass => pass[x].elu(a, s, i));
    }

    private static Action<Pass> Gelu(OperatorContext context)
    {
        var x = context.Input(0);
        var approximate = context.Node.Text("approximate", "none") == "none" ? GELU.Approximate.none : GELU.Approximate.tanh;
        return context.Returns(pass => F.gelu(pass[x], approximate));
    }

    private static Action<Pass> HardSigmoid(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar alpha = context.Node.Float("alpha", 0.2f), beta = context.Node.Float("beta", 0.5f), one = 1, zero = 0;
        return context.ReturnsComposed(pass => pass[x].mul(alpha).add(beta, one).clamp(zero, one));
    }

    private static Action<Pass> Softsign(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar one = 1;
        return context.ReturnsComposed(pass => pass[x] / pass[x].abs().add(one, one));
    }

    private static Action<Pass> Mish(OperatorContext context)
    {
        var x = context.Input(0);
        return context.ReturnsComposed(pass => pass[x] * Softplus(pass[x]).tanh());
    }

    private static Action<Pass> Softplus(OperatorContext context)
    {
        var x = context.Input(0);
        return context.ReturnsComposed(pass => Softplus(pass[x]));
    }

    /// <summary>log(1 + exp x): libtorch's own is given its settings as scalars that TorchSharp does not keep alive.</summary>
    private static Tensor Softplus(Tensor x) => F.logsigmoid(x.neg()).neg();

    private static Action<Pass> Swish(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar alpha = context.Node.Float("alpha", 1);
        return context.ReturnsComposed(pass => pass[x] * pass[x].mul(alpha).sigmoid());
    }

    private static Action<Pass> ThresholdedRelu(OperatorContext context)
    {
        var x = context.Input(0);
        Scalar alpha = context.Node.Float("alpha", 1);
        return context.ReturnsComposed(pass => pass[x] * pass[x].gt(alpha).to(pass[x].dtype));
    }

    /// <summary>Nearer to zero by the bias beyond either threshold, zero between them.</summary>
    private static Action<Pass> Shrink(OperatorContext context)
    {
        var x = context.Input(0);
        double bias = context.Node.Float("bias", 0), threshold = context.Node.Float("lambd", 0.5f);
        Scalar up = bias, down = -bias, high = threshold, low = -threshold, one = 1;
        return context.ReturnsComposed(pass => where(pass[x].lt(low), pass[x].add(up, one),
            where(pass[x].gt(high), pass[x].add(down, one), zeros_like(pass[x]))));
    }

    /// <summary>The slope broadcasts as in arithmetic; PyTorch's own takes one slope a channel only.</summary>
    private static Action<Pass> PRelu(OperatorContext context)
    {
        var (x, slope) = (context.Input(0), context.Input(1));
        Scalar zero = 0, one = 1;
        return context.ReturnsComposed(pass => pass[x].clamp_min(zero).add(pass[x].clamp_max(zero) * pass[slope], one));
    }

    private static Action<Pass> Softmax(OperatorContext context, Func<Tensor, long, Tensor> apply)
    {
        var (x, axis) = (context.Input(0), context.Node.Int("axis", -1));
        return context.Network.Graph.Opset >= NetworkParts.SoftmaxOfOneDimension ? context.Returns(pass => apply(pass[x], axis))
            : context.ReturnsComposed(pass => axis == -1 || axis == pass[x].dim() - 1 ? apply(pass[x], axis)
                : apply(pass[x].flatten(axis), -1).view_as(pass[x]));
    }

    /// <summary>A one at the largest, zeros elsewhere.</summary>
    private static Tensor OneOfLargest(Tensor x, long axis)
    {
        using var scope = NewDisposeScope();
        var place = x.argmax(axis, true);
        return scope.MoveToOuter(zeros_like(x).scatter(axis, place, ones_like(place, x.dtype)));
    }

    /// <summary>Draws from the pass's own generator: the library's global one would mix parallel fits and lose "same seed, same bits".</summary>
    private static Action<Pass> Dropout(OperatorContext context)
    {
        var x = context.Input(0);
        double kept = 1 - context.Node.Float("ratio", 0.5f);
        Scalar divisor = kept;
        return context.Returns(pass =>
        {
            if (!pass.Training)
            {
                return pass[x];
            }

            // On the CPU wherever the network runs: a generator for a GPU draws as one for the CPU.
            using var mask = empty(pass[x].shape).bernoulli_(kept, pass.Random).div_(divisor);
            using var there = mask.to(pass[x].dtype, pass[x].device);
            return pass[x] * there;
        });
    }
}
