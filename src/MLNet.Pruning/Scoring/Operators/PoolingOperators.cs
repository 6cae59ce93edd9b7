using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Maxima, means and norms of windows, or of all positions.</summary>
internal static class PoolingOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } =
    [
        new("MaxPool", MaxPool), new("AveragePool", AveragePool), new("LpPool", LpPool),
        new("GlobalAveragePool", context => Global(context,
            (x, positions) => positions.Length == 2 ? F.adaptive_avg_pool2d(x, 1) : x.mean(positions, keepdim: true))),
        new("GlobalMaxPool", context => Global(context, (x, positions) => x.amax(positions, keepdim: true))),
        new("GlobalLpPool", GlobalLpPool),
    ];

    private static Action<Pass> Global(OperatorContext context, Func<Tensor, long[], Tensor> fold)
    {
        var x = context.Input(0);
        return context.Returns(pass => fold(pass[x], [.. Enumerable.Range(2, (int)pass[x].dim() - 2).Select(i => (long)i)]));
    }

    private static Action<Pass> GlobalLpPool(OperatorContext context)
    {
        var (x, p) = (context.Input(0), (double)context.Node.Int("p", 2));
        Scalar power = p, root = 1 / p;
        return context.ReturnsComposed(pass => pass[x].abs().pow(power).flatten(2).sum(2).pow(root)
            .view([.. pass[x].shape[..2], .. Enumerable.Repeat(1L, (int)pass[x].dim() - 2)]));
    }

    private static Action<Pass> MaxPool(OperatorContext context)
    {
        var (x, window, ceil) = (context.Input(0), Window.Of(context), context.Node.Int("ceil_mode", 0) == 1);
        if (IsPadded(window))
        {
            return context.Returns(pass => Max(pass[x], window, window.Starts, ceil));
        }

        var none = new long[window.Space];
        return context.ReturnsComposed(pass =>
        {
            var padded = window.Over(pass[x]);
            return Whole(Max(padded.Pad(pass[x], double.NegativeInfinity), window, none, ceil), pass[x], padded, ceil);
        });
    }

    private static Action<Pass> AveragePool(OperatorContext context)
    {
        var (x, window, ceil) = (context.Input(0), Window.Of(context), context.Node.Int("ceil_mode", 0) == 1);
        var all = context.Node.Int("count_include_pad", 0) == 1;
        if (IsPadded(window) && window.Dilations.All(step => step == 1))
        {
            return context.Returns(pass => Average(pass[x], window, window.Starts, ceil, all));
        }

        context.Require(!ceil || window.Dilations.All(step => step == 1), "is dilated and rounds its size up (ceil_mode)");
        return context.ReturnsComposed(pass =>
        {
            var padded = window.Over(pass[x]);
            var sum = Sum(padded.Pad(pass[x], 0), window, ceil);
            // Counted by pooling ones, zeros for the padding where it does not count.
            var ones = ones_like(pass[x]);
            return Whole(sum / Sum(all ? ones_like(padded.Pad(ones, 0)) : padded.Pad(ones, 0), window, ceil), pass[x], padded, ceil);
        });
    }

    private static Action<Pass> LpPool(OperatorContext context)
    {
        var (x, window, ceil) = (context.Input(0), Window.Of(context), context.Node.Int("ceil_mode", 0) == 1);
        context.Require(!ceil, "rounds its size up (ceil_mode)");
        var p = (double)context.Node.Int("p", 2);
        Scalar power = p, root = 1 / p;
        return context.ReturnsComposed(pass => Sum(window.Over(pass[x]).Pad(pass[x].abs().pow(power), 0), window, ceil).pow(root));
    }

    /// <summary>Whether PyTorch's own padding does: both sides alike, and at most half the window.</summary>
    private static bool IsPadded(Window window) => window.IsSymmetric && window.Starts.Zip(window.Kernel, (pad, size) => pad <= size / 2).All(fits => fits);

    private static Tensor Max(Tensor x, Window window, long[] pads, bool ceil) => window.Space switch
    {
        1 => F.max_pool1d(x, window.Kernel[0], window.Strides[0], pads[0], window.Dilations[0], ceil),
        2 => F.max_pool2d(x, window.Kernel, window.Strides, pads, window.Dilations, ceil),
        _ => F.max_pool3d(x, window.Kernel, window.Strides, pads, window.Dilations, ceil),
    };

    private static Tensor Average(Tensor x, Window window, long[] pads, bool ceil, bool all) => window.Space switch
    {
        1 => F.avg_pool1d(x, window.Kernel[0], window.Strides[0], pads[0], ceil, all),
        2 => F.avg_pool2d(x, window.Kernel, window.Strides, pads, ceil, all),
        _ => F.avg_pool3d(x, window.Kernel, window.Strides, pads, ceil, all),
    };

    /// <summary>Sums of windows: a mean where they are dense, else each channel alone through a convolution with ones.</summary>
    private static Tensor Sum(Tensor x, Window window, bool ceil)
    {
        var none = new long[window.Space];
        if (window.Dilations.All(step => step == 1))
        {
            using Scalar count = window.Count;
            return Average(x, window, none, ceil, false).mul(count);
        }

        var channels = x.shape[1];
        var kernel = ones([channels, 1, .. window.Kernel], x.dtype, x.device);
        return window.Space switch
        {
            1 => F.conv1d(x, kernel, null, window.Strides[0], 0, window.Dilations[0], channels),
            2 => F.conv2d(x, kernel, null, window.Strides, none, window.Dilations, channels),
            _ => F.conv3d(x, kernel, null, window.Strides, none, window.Dilations, channels),
        };
    }

    /// <summary>Without windows that would start in the padding at the end, which PyTorch leaves out only where it pads itself.</summary>
    private static Tensor Whole(Tensor y, Tensor x, Window window, bool ceil)
    {
        for (var i = 0; ceil && i < window.Space; i++)
        {
            var inside = (x.shape[2 + i] + window.Pads[i] + window.Strides[i] - 1) / window.Strides[i];
            y = inside < y.shape[2 + i] ? y.narrow(2 + i, 0, inside) : y;
        }

        return y;
    }
}
