using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>How a convolution or pooling moves over positions.</summary>
/// <param name="Kernel">Size in each dimension.</param>
/// <param name="Strides">Step in each dimension.</param>
/// <param name="Pads">Added at the start of each dimension, then at the end of each.</param>
/// <param name="Dilations">Distance between the window's elements.</param>
/// <param name="Mode">ONNX's auto_pad where the padding follows from the size of what it moves over, else null.</param>
internal sealed record Window(long[] Kernel, long[] Strides, long[] Pads, long[] Dilations, string? Mode)
{
    /// <summary>Number of dimensions it moves over.</summary>
    public int Space => Kernel.Length;

    /// <summary>Padding at the start of each dimension.</summary>
    public long[] Starts => Pads[..Space];

    /// <summary>Whether both sides of each dimension are padded alike, whatever is moved over.</summary>
    public bool IsSymmetric => Mode is null && Pads.AsSpan(0, Space).SequenceEqual(Pads.AsSpan(Space));

    /// <summary>Number of elements of the window.</summary>
    public long Count => Kernel.Aggregate(1L, (product, size) => product * size);

    /// <summary>The window in a node's attributes.</summary>
    /// <exception cref="NotSupportedException">Its size cannot be determined.</exception>
    public static Window Of(OperatorContext context, int kernelInput = OperatorContext.Absent)
    {
        var node = context.Node;
        long[] shape = kernelInput >= 0 && context.Shape(kernelInput) is { IsDefault: false } weight ? [.. weight.Skip(2).Select(size => (long)size)] : [];
        var kernel = node.Ints("kernel_shape", shape);
        context.Require(kernel.Length is >= 1 and <= 3, "has a window of no known size in 1 to 3 dimensions");
        var mode = node.Text("auto_pad", "NOTSET") is "SAME_UPPER" or "SAME_LOWER" ? node.Text("auto_pad", "") : null;
        long[] Each(long value, int count) => [.. Enumerable.Repeat(value, count)];
        return new(kernel, node.Ints("strides", Each(1, kernel.Length)), node.Ints("pads", Each(0, 2 * kernel.Length)),
            node.Ints("dilations", Each(1, kernel.Length)), mode);
    }

    /// <summary>The window with the padding that it has over a tensor.</summary>
    public Window Over(Tensor x)
    {
        if (Mode is null)
        {
            return this;
        }

        var (shape, pads) = (x.shape, new long[2 * Space]);
        for (var i = 0; i < Space; i++)
        {
            var output = (shape[2 + i] + Strides[i] - 1) / Strides[i];
            var total = Math.Max(0, (output - 1) * Strides[i] + Dilations[i] * (Kernel[i] - 1) + 1 - shape[2 + i]);
            pads[i] = Mode == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
            pads[Space + i] = total - pads[i];
        }

        return this with { Pads = pads, Mode = null };
    }

    /// <summary>The tensor with the padding in it.</summary>
    public Tensor Pad(Tensor x, double value) => F.pad(x, Innermost(Pads), PaddingModes.Constant, value);

    /// <summary>Starts and ends of all dimensions as PyTorch wants them: in pairs, the last dimension first.</summary>
    public static long[] Innermost(long[] pads)
    {
        var dimensions = pads.Length / 2;
        return [.. Enumerable.Range(1, dimensions).SelectMany(i => new[] { pads[dimensions - i], pads[^i] })];
    }
}
