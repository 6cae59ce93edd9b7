using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Normalisations by mean and variance, or by a norm.</summary>
internal static class NormalizationOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        new("BatchNormalization", BatchNormalization), new("InstanceNormalization", InstanceNormalization), new("LayerNormalization", LayerNormalization),
        new("GroupNormalization", GroupNormalization), new("LRN", LocalResponse), new("LpNormalization", LpNormalization),
    ];

    private static Action<Pass> BatchNormalization(OperatorContext context)
    {
        var (x, scale, shift, mean, variance) = (context.Input(0), context.Input(1), context.Input(2), context.Input(3), context.Input(4));
        // ONNX counts the share of the old running value, PyTorch that of the new one.
        var (epsilon, momentum) = (context.Node.Float("epsilon", 1e-5f), 1 - context.Node.Float("momentum", 0.9f));
        if (new[] { mean, variance }.Intersect([scale, shift]).Any())
        {
            // Statistics that are a trained weight too stay as they are: PyTorch would write them over.
            return context.ReturnsComposed(pass => F.batch_norm(pass[x], pass[mean].detach().clone(), pass[variance].detach().clone(), pass[scale], pass[shift],
                pass.Training, momentum, epsilon));
        }

        return context.Returns(pass => F.batch_norm(pass[x], pass[mean], pass[variance], pass[scale], pass[shift], pass.Training, momentum, epsilon));
    }

    private static Action<Pass> InstanceNormalization(OperatorContext context)
    {
        var (x, scale, shift, epsilon) = (context.Input(0), context.Input(1), context.Input(2), context.Node.Float("epsilon", 1e-5f));
        return context.Returns(pass => F.instance_norm(pass[x], null, null, pass[scale], pass[shift], true, 0.1, epsilon));
    }

    private static Action<Pass> LayerNormalization(OperatorContext context)
    {
        var (x, scale, shift) = (context.Input(0), context.Input(1), context.Optional(2));
        var (axis, epsilon) = (context.Node.Int("axis", -1), context.Node.Float("epsilon", 1e-5f));
        Scalar one = 1;
        return context.ReturnsComposed(pass =>
        {
            var shape = pass[x].shape;
            var normalized = shape[Node.Resolve(axis, shape.Length)..];
            if (pass[scale].shape.AsSpan().SequenceEqual(normalized) && (pass.Find(shift) is not { } same || same.shape.AsSpan().SequenceEqual(normalized)))
            {
                return F.layer_norm(pass[x], normalized, pass[scale], pass.Find(shift), epsilon);
            }

            var y = F.layer_norm(pass[x], normalized, null, null, epsilon) * pass[scale];
            return pass.Find(shift) is { } added ? y.add(added, one) : y;
        });
    }

    private static Action<Pass> GroupNormalization(OperatorContext context)
    {
        var (x, scale, shift) = (context.Input(0), context.Input(1), context.Input(2));
        var (groups, epsilon) = (context.Node.Int("num_groups", 1), context.Node.Float("epsilon", 1e-5f));
        return context.ReturnsComposed(pass =>
        {
            var channels = pass[x].shape[1];
            // One value a channel since version 21, one a group before.
            Tensor EachChannel(Tensor values) => values.shape[0] == channels ? values
                : values.view(groups, 1).expand(groups, channels / groups).reshape(channels);
            return F.group_norm(pass[x], groups, EachChannel(pass[scale]), EachChannel(pass[shift]), epsilon);
        });
    }

    /// <summary>Krizhevsky et al. 2012: x / (bias + alpha * mean of the squares of the channels around)^beta.</summary>
    private static Action<Pass> LocalResponse(OperatorContext context)
    {
        var (x, size) = (context.Input(0), context.Node.Int("size", 1));
        Scalar alpha = context.Node.Float("alpha", 1e-4f), beta = context.Node.Float("beta", 0.75f), bias = context.Node.Float("bias", 1), one = 1;
        return context.ReturnsComposed(pass =>
        {
            var squares = (pass[x] * pass[x]).flatten(2).unsqueeze(1);
            var around = F.avg_pool2d(F.pad(squares, [0L, 0L, (size - 1) / 2, size / 2], PaddingModes.Constant, 0), [size, 1L], [1L, 1L]);
            return pass[x] / around.squeeze(1).view_as(pass[x]).mul(alpha).add(bias, one).pow(beta);
        });
    }

    private static Action<Pass> LpNormalization(OperatorContext context)
    {
        var (x, axis, p) = (context.Input(0), (int)context.Node.Int("axis", -1), (float)context.Node.Int("p", 2));
        // Zeros stay zeros.
        Scalar least = 1e-30;
        return context.ReturnsComposed(pass => pass[x] / pass[x].norm(axis, true, p).clamp_min(least));
    }
}
