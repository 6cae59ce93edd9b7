using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training;

/// <summary>The layers that TorchSharp's modules are, by their settings.</summary>
internal static class ModuleLayers
{
    /// <summary>A module as a layer; null for one that changes nothing.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="module">The module.</param>
    /// <param name="shape">Shape of what it reads, the batch first.</param>
    /// <exception cref="NotSupportedException">No layer computes what it computes.</exception>
    public static Layer? Of(string name, nn.Module module, ImmutableArray<int> shape)
    {
        var asks = new Conditions(name, module);
        switch (module)
        {
            case Linear linear:
                return Layer.Dense((int)linear.weight.shape[0], linear.bias is not null, name);
            case Conv2d convolution:
                return Convolution(name, convolution, asks);
            case BatchNorm1d norm:
                asks.For(shape.Length == 2, $"cannot read a tensor of {TensorInfo.Dimensions(shape)}: rows of values are expected");
                return Normalization(name, norm, asks);
            case BatchNorm2d norm:
                asks.For(shape.Length == 4, $"cannot read a tensor of {TensorInfo.Dimensions(shape)}: channels x height x width in a row are expected");
                return Normalization(name, norm, asks);
            case MaxPool2d pool:
                return Layer.Pool("MaxPool", "maxpool",
                    [.. Window(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode), ("dilations", Pair(pool.dilation, 1))], name);
            case AvgPool2d pool:
                asks.For(pool.divisor_override is null, $"divides by {pool.divisor_override} (divisor_override); the mean of each window is expected");
                return Layer.Pool("AveragePool", "avgpool",
                    [.. Window(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode), ("count_include_pad", pool.count_include_pad ? 1L : 0)], name);
            case AdaptiveAvgPool2d pool:
                return Adaptive(name, Pair(pool.output_size, 1), shape, asks);
            case Flatten flatten:
                asks.For(flatten.start_dim == 1 && (flatten.end_dim == -1 || flatten.end_dim == shape.Length - 1),
                    $"merges the dimensions {flatten.start_dim} to {flatten.end_dim}; expected 1 to -1, all but the batch");
                return Layer.Flatten(name);
            case Dropout dropout:
                asks.For(dropout.p is >= 0 and < 1, $"drops a share of {dropout.p}; expected one below 1");
                return Layer.Dropout(dropout.p, name);
            case ReLU:
                return Layer.Relu(name);
            case LeakyReLU leaky:
                return Layer.LeakyRelu(leaky.negative_slope, name);
            case GELU gelu:
                return Layer.Gelu(gelu.approximate == GELU.Approximate.tanh, name);
            case SiLU:
                return Layer.Silu(name);
            case Tanh:
                return Layer.Tanh(name);
            case Sigmoid:
                return Layer.Sigmoid(name);
            case Softmax softmax:
                asks.For(softmax.dim == 1 || (softmax.dim == -1 && shape.Length == 2), $"goes over the dimension {softmax.dim}; expected 1");
                return Layer.Softmax(name);
            case Identity:
                return null;
            default:
                throw Unknown(name, module);
        }
    }

    private static Layer Convolution(string name, Conv2d convolution, Conditions asks)
    {
        long[] kernel = convolution.weight.shape[2..];
        var (strides, dilations, pads) = (Pair(convolution.stride, 1), Pair(convolution.dilation, 1), Pads(convolution.padding));
        if (convolution.padding_type is { } type)
        {
            asks.For(type == Padding.Valid || strides.All(stride => stride == 1), "is padded to the same size with strides above 1, which PyTorch refuses too");
            pads = type == Padding.Same ? Same(kernel, dilations) : Pads(null);
        }

        asks.For(convolution.padding_mode == PaddingModes.Zeros || pads.All(pad => pad == 0), $"pads by {convolution.padding_mode}; zeros are expected");
        (string, object)[] window = [("kernel_shape", kernel), ("strides", strides), ("pads", pads), ("dilations", dilations)];
        return Layer.Convolution((int)convolution.weight.shape[0], kernel, window, (int)convolution.groups, convolution.bias is not null, name);
    }

    private static Layer Normalization(string name, BatchNorm norm, Conditions asks)
    {
        asks.For(norm.weight is not null && norm.bias is not null, "has no weight and bias; affine: true is expected");
        asks.For(norm.running_mean is not null && norm.running_var is not null, "has no running statistics; track_running_stats: true is expected");
        asks.For(norm.eps > 0, $"has an epsilon of {norm.eps}; one above 0 is expected");
        asks.For(norm.momentum is >= 0 and <= 1, $"has a momentum of {norm.momentum?.ToString() ?? "null"}; one in [0, 1] is expected");
        return Layer.BatchNorm(norm.eps, norm.momentum!.Value, name);
    }

    /// <summary>Means of equal windows, which is what adaptive pooling computes where the sizes divide.</summary>
    private static Layer? Adaptive(string name, long[] output, ImmutableArray<int> shape, Conditions asks)
    {
        if (output.All(size => size == 1))
        {
            return Layer.GlobalAveragePool(name);
        }

        asks.For(shape.Length == 4 && shape[2] % output[0] == 0 && shape[3] % output[1] == 0,
            $"makes {output[0]} x {output[1]} means of {TensorInfo.Dimensions(shape)}; numbers that divide height and width are expected, or one");
        long[] window = [shape[2] / output[0], shape[3] / output[1]];
        return window.All(size => size == 1) ? null : Layer.Pool("AveragePool", "avgpool", Window(window, null, null, ceil: false), name);
    }

    private static (string, object)[] Window(long[] kernel, long[]? stride, long[]? padding, bool ceil) =>
    [
        ("kernel_shape", Pair(kernel, 1)), ("strides", Pair(stride ?? kernel, 1)), ("pads", Pads(padding)),
        .. ceil ? [("ceil_mode", (object)1L)] : Array.Empty<(string, object)>(),
    ];

    /// <summary>Height and width of a setting, which may be one number for both.</summary>
    private static long[] Pair(long[]? values, long otherwise) => values switch
    {
        null or [] => [otherwise, otherwise],
        [var both] => [both, both],
        _ => values,
    };

    /// <summary>The same at the start and at the end of height and width.</summary>
    private static long[] Pads(long[]? padding) => [.. Pair(padding, 0), .. Pair(padding, 0)];

    /// <summary>What keeps the size at a stride of 1; an odd one more goes to the end.</summary>
    private static long[] Same(long[] kernel, long[] dilations)
    {
        long[] total = [.. kernel.Zip(dilations, (size, dilation) => dilation * (size - 1))];
        return [.. total.Select(pad => pad / 2), .. total.Select(pad => pad - pad / 2)];
    }

    private static NotSupportedException Unknown(string name, nn.Module module) => new(
        $"Module '{name}' ({module.GetName()}) is not one that can be read: Linear, Conv2d, BatchNorm1d, BatchNorm2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, "
        + "Flatten, Dropout, ReLU, LeakyReLU, GELU, SiLU, Tanh, Sigmoid, Softmax, Identity and Sequential are. Export the module to ONNX and use "
        + "Network.FromOnnx.");

    /// <summary>What a module has to fulfil.</summary>
    private readonly record struct Conditions(string Name, nn.Module Module)
    {
        /// <summary>Refuses the module where a condition does not hold.</summary>
        public void For(bool condition, string otherwise)
        {
            if (!condition)
            {
                throw new NotSupportedException($"Module '{Name}' ({Module.GetName()}) {otherwise}.");
            }
        }
    }
}
