using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Convolutions, pooling and resizing: operators that move a window over positions, of any number of dimensions.</summary>
internal static class WindowShapes
{
    public static IEnumerable<KeyValuePair<string, ShapeInference.Rule>> Rules { get; } =
    [
        new("Conv", Convolution), new("ConvTranspose", Transposed),
        new("MaxPool", Pool), new("AveragePool", Pool), new("LpPool", Pool),
        new("GlobalAveragePool", Global), new("GlobalMaxPool", Global), new("GlobalLpPool", Global),
        new("Resize", Resized), new("Upsample", Resized),
    ];

    private static ImmutableArray<int>[] Convolution(ShapeContext context)
    {
        var (x, weight, node) = (context[0], context[1], context.Node);
        RequireImage(context, weight.Length);
        context.Require(ShapeContext.Fit(x[1], weight[1] * (int)node.Int("group", 1)), 0, $"{weight[1] * node.Int("group", 1)} channels");
        return [Windows(context, weight[0], node.Ints("kernel_shape", [.. weight.Skip(2).Select(size => (long)size)]))];
    }

    private static ImmutableArray<int>[] Pool(ShapeContext context)
    {
        RequireImage(context, context.Node.Ints("kernel_shape").Length + 2);
        var shape = Windows(context, context[0][1], context.Node.Ints("kernel_shape"));
        return [shape, shape];
    }

    private static ImmutableArray<int>[] Global(ShapeContext context)
    {
        context.Require(context[0].Length >= 3, 0, "channels x positions in a row, such as channels x height x width");
        return [[context[0][0], context[0][1], .. Enumerable.Repeat(1, context[0].Length - 2)]];
    }

    private static ImmutableArray<int>[] Transposed(ShapeContext context)
    {
        var (x, weight, node) = (context[0], context[1], context.Node);
        RequireImage(context, weight.Length);
        context.Require(ShapeContext.Fit(x[1], weight[0]), 0, $"{weight[0]} channels");
        var space = weight.Length - 2;
        var kernel = node.Ints("kernel_shape", [.. weight.Skip(2).Select(size => (long)size)]);
        var (strides, pads, dilations, extra, given) = (node.Ints("strides", Repeat(1, space)), node.Ints("pads", Repeat(0, 2 * space)),
            node.Ints("dilations", Repeat(1, space)), node.Ints("output_padding", Repeat(0, space)), node.Ints("output_shape"));
        var output = Enumerable.Range(0, space).Select(i => given.Length == space ? (int)given[i]
            : x[2 + i] < 0 ? context.Derived($"convtranspose({context.Symbols.Name(x[2 + i])},{kernel[i]},{strides[i]},{pads[i] + pads[space + i]},{dilations[i]},{extra[i]})", 0, 2 + i)
            : checked((int)((x[2 + i] - 1) * strides[i] + extra[i] + dilations[i] * (kernel[i] - 1) + 1 - pads[i] - pads[space + i])));
        return [[x[0], weight[1] * (int)node.Int("group", 1), .. output]];
    }

    private static ImmutableArray<int>[] Resized(ShapeContext context)
    {
        var (x, node) = (context[0], context.Node);
        var (sizes, scales) = (node.Ints("sizes"), node.Floats("scales"));
        context.Require(sizes.Length == x.Length || scales.Length == x.Length, 0, "a scale or a size for every dimension");
        return [[.. x.Select((size, i) => sizes.Length > 0 ? size < 0 ? size : (int)sizes[i]
            : scales[i] == 1 ? size
            : size < 0 ? context.Derived($"floor({context.Symbols.Name(size)}*{scales[i]:R})", 0, i)
            : (int)Math.Floor(size * (double)scales[i]))]];
    }

    private static void RequireImage(ShapeContext context, int rank)
        => context.Require(context[0].Length == rank && rank > 2, 0, rank == 4 ? "channels x height x width in a row" : $"rows of {rank - 1} dimensions, channels first");

    private static ImmutableArray<int> Windows(ShapeContext context, int channels, long[] kernel)
    {
        var (x, node, space) = (context[0], context.Node, kernel.Length);
        var (strides, pads, dilations) = (node.Ints("strides", Repeat(1, space)), node.Ints("pads", Repeat(0, 2 * space)), node.Ints("dilations", Repeat(1, space)));
        var ceil = node.Int("ceil_mode", 0) == 1;
        var output = new int[space];
        for (var i = 0; i < space; i++)
        {
            if (x[2 + i] < 0)
            {
                output[i] = context.Derived($"window({context.Symbols.Name(x[2 + i])},{kernel[i]},{strides[i]},{pads[i] + pads[space + i]},{dilations[i]},{(ceil ? 1 : 0)})", 0, 2 + i);
                continue;
            }

            var room = x[2 + i] + pads[i] + pads[space + i] - dilations[i] * (kernel[i] - 1) - 1;
            context.Require(room >= 0, 0, $"room for its window of {string.Join(" x ", kernel)}");
            output[i] = (int)((ceil ? room + strides[i] - 1 : room) / strides[i] + 1);
            if (ceil && (output[i] - 1) * strides[i] >= x[2 + i] + pads[i])
            {
                // A window that would start in the padding on the right is left out.
                output[i]--;
            }
        }

        return [x[0], channels, .. output];
    }

    private static long[] Repeat(long value, int count) => [.. Enumerable.Repeat(value, count)];
}
