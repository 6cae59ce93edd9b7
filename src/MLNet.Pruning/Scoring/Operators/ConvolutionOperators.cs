using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>Convolutions and their transposes over one to three dimensions.</summary>
internal static class ConvolutionOperators
{
    public static IEnumerable<KeyValuePair<string, TorchOperators.Rule>> Rules { get; } = [new("Conv", Convolution), new("ConvTranspose", Transposed)];

    private static Action<Pass> Convolution(OperatorContext context)
    {
        var (x, weight, bias) = (context.Input(0), context.Input(1), context.Optional(2));
        var (window, group) = (Window.Of(context, 1), context.Node.Int("group", 1));
        if (window.IsSymmetric)
        {
            return context.Returns(pass => Convolve(pass[x], pass[weight], pass.Find(bias), window, window.Starts, group));
        }

        var none = new long[window.Space];
        return context.ReturnsComposed(pass => Convolve(window.Over(pass[x]).Pad(pass[x], 0), pass[weight], pass.Find(bias), window, none, group));
    }

    private static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, Window window, long[] pads, long group) => window.Space switch
    {
        1 => F.conv1d(x, weight, bias, window.Strides[0], pads[0], window.Dilations[0], group),
        2 => F.conv2d(x, weight, bias, window.Strides, pads, window.Dilations, group),
        _ => F.conv3d(x, weight, bias, window.Strides, pads, window.Dilations, group),
    };

    private static Action<Pass> Transposed(OperatorContext context)
    {
        var (x, weight, bias) = (context.Input(0), context.Input(1), context.Optional(2));
        var (node, window, group) = (context.Node, Window.Of(context, 1), context.Node.Int("group", 1));
        var extra = node.Ints("output_padding", new long[window.Space]);
        var given = node.Ints("output_shape");
        context.Require(given.Length > 0 || window.Mode is null, "pads by an output size that is not given (auto_pad)");
        if (window.IsSymmetric && given.Length == 0)
        {
            return context.Returns(pass => Spread(pass[x], pass[weight], pass.Find(bias), window, window.Starts, extra, group));
        }

        // PyTorch crops both sides alike: here what is to be cropped is cut off afterwards.
        var (none, upper) = (new long[window.Space], window.Mode == "SAME_UPPER");
        return context.ReturnsComposed(pass =>
        {
            var y = Spread(pass[x], pass[weight], pass.Find(bias), window, none, extra, group);
            for (var i = 0; i < window.Space; i++)
            {
                var size = y.shape[2 + i];
                var total = given.Length > 0 ? size - given[i] : window.Pads[i] + window.Pads[window.Space + i];
                var start = given.Length == 0 ? window.Pads[i] : upper ? total / 2 : total - total / 2;
                y = y.narrow(2 + i, start, size - total);
            }

            return y;
        });
    }

    private static Tensor Spread(Tensor x, Tensor weight, Tensor? bias, Window window, long[] pads, long[] extra, long group) => window.Space switch
    {
        1 => F.conv_transpose1d(x, weight, bias, window.Strides[0], pads[0], extra[0], window.Dilations[0], group),
        2 => F.conv_transpose2d(x, weight, bias, window.Strides, pads, extra, window.Dilations, group),
        _ => F.conv_transpose3d(x, weight, bias, window.Strides, pads, extra, window.Dilations, group),
    };
}
