namespace MLNet.Pruning.Networks.Operators;

/// <summary>Convolutions, pooling and resizing: operators that move a window over positions, of any number of dimensions.</summary>
internal static class WindowShapes
{
    // Before what is made of it.
    private static readonly Product s_channels = new(0, _ => 1, 1);

    public static IEnumerable<Operator> Operators { get; } =
    [
        new("Conv", Convolution) { Trained = [1, 2], Weights = [new(1, 3, (_, _) => new(0, 1, true), (_, y, _) => y.Skip(2)) { Product = s_channels }] },
        new("ConvTranspose", Transposed) { Trained = [1, 2],
            Weights = [new(1, 3, (_, _) => new(1, 0, true), (x, _, _) => x.Skip(2)) { Product = s_channels }] },
        .. new[] { "MaxPool", "AveragePool", "LpPool" }.Select(name => new Operator(name, Pool) { Over = Positions, Zeros = Zeros.OfFirst }),
        .. new[] { "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool" }.Select(name =>
            new Operator(name, Global) { Over = Positions, Zeros = Zeros.OfFirst }),
        new("Resize", Resized) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst }, new("Upsample", Resized) { Over = (_, _, _) => [], Zeros = Zeros.OfFirst },
    ];

    private static IEnumerable<int> Positions(Node node, int rank, long opset) => Enumerable.Range(2, rank - 2);

    private static ImmutableArray<int>[] Convolution(ShapeContext context)
    {
        var (x, weight, node) = (context[0], context[1], context.Node);
        RequireImage(context, weight.Length);
        var groups = context.Number("group", 1, 1);
        context.Require(weight[0] % groups == 0, 1, $"filters in {groups} groups");
        context.Require(ShapeContext.Fit(x[1], checked(weight[1] * groups)), 0, $"{weight[1] * groups} channels");
        context.RequireVector(2, weight[0]);
        return [Windows(context, weight[0], Kernel(context, weight))];
    }

    private static ImmutableArray<int>[] Pool(ShapeContext context)
    {
        RequireImage(context, context.Node.Ints("kernel_shape").Length + 2);
        context.Each("kernel_shape", context[0].Length - 2, 1, 1);
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
        var (space, groups, kernel) = (weight.Length - 2, context.Number("group", 1, 1), Kernel(context, weight));
        context.Require(weight[0] % groups == 0, 1, $"channels in {groups} groups");
        context.RequireVector(2, checked(weight[1] * groups));
        var (strides, pads, dilations, extra) = (context.Each("strides", space, 1, 1), context.Each("pads", 2 * space, 0, 0),
            context.Each("dilations", space, 1, 1), context.Each("output_padding", space, 0, 0));
        var given = node.Attributes.ContainsKey("output_shape") ? context.Each("output_shape", space, 1, 1) : [];
        var output = Enumerable.Range(0, space).Select(i => given.Length == space ? (int)given[i]
            : x[2 + i] < 0 ? context.Derived($"convtranspose({x[2 + i]},{kernel[i]},{strides[i]},{pads[i] + pads[space + i]},{dilations[i]},{extra[i]})", 0,
                2 + i)
            : checked((int)((x[2 + i] - 1) * strides[i] + extra[i] + dilations[i] * (kernel[i] - 1) + 1 - pads[i] - pads[space + i]))).ToArray();
        context.Require(output.All(size => size != 0 && (size > 0 || given.Length == 0))
            && !x.Skip(2).Zip(output).Any(pair => pair.First >= 0 && pair.Second < 0), 0, "room for its padding");
        return [[x[0], weight[1] * groups, .. output]];
    }

    private static ImmutableArray<int>[] Resized(ShapeContext context)
    {
        var (x, node) = (context[0], context.Node);
        var (sizes, scales) = (node.Ints("sizes"), node.Floats("scales"));
        if (sizes.Length == 0 && scales.Length == 0 && context.Count > 1)
        {
            return [context.Computed(x.Length)];
        }

        context.Require(sizes.Length == x.Length || (sizes.Length == 0 && scales.Length == x.Length), 0, "a scale or a size for every dimension");
        context.Require(scales.All(scale => scale > 0 && float.IsFinite(scale)), 0, "scales above 0");
        return [[.. x.Select((size, i) => sizes.Length > 0 ? size < 0 ? size : (int)sizes[i]
            : scales[i] == 1 ? size
            : size < 0 ? context.Derived($"floor({size}*{scales[i]:R})", 0, i)
            : checked((int)Math.Floor(size * (double)scales[i])))]];
    }

    private static void RequireImage(ShapeContext context, int rank)
        => context.Require(context[0].Length == rank && rank > 2, 0,
            rank == 4 ? "channels x height x width in a row" : $"rows of {rank - 1} dimensions, channels first");

    private static ImmutableArray<int> Windows(ShapeContext context, int channels, long[] kernel)
    {
        var (x, node, space) = (context[0], context.Node, kernel.Length);
        var (strides, pads, dilations) = (context.Each("strides", space, 1, 1), context.Each("pads", 2 * space, 0, 0), context.Each("dilations", space, 1, 1));
        var ceil = node.Int("ceil_mode", 0) == 1;
        var output = new int[space];
        for (var i = 0; i < space; i++)
        {
            if (x[2 + i] < 0)
            {
                output[i] = context.Derived($"window({x[2 + i]},{kernel[i]},{strides[i]},{pads[i] + pads[space + i]},{dilations[i]},{(ceil ? 1 : 0)})", 0,
                    2 + i);
                continue;
            }

            // Numbers of 31 bits each: none of this passes 64.
            var room = x[2 + i] + pads[i] + pads[space + i] - dilations[i] * (kernel[i] - 1) - 1;
            context.Require(room >= 0, 0, $"room for its window of {string.Join(" x ", kernel)}");
            output[i] = checked((int)((ceil ? room + strides[i] - 1 : room) / strides[i] + 1));
            if (ceil && (output[i] - 1) * strides[i] >= x[2 + i] + pads[i])
            {
                // A window that would start in the padding on the right is left out.
                output[i]--;
            }
        }

        return [x[0], channels, .. output];
    }

    /// <summary>The window, which is what the weight says.</summary>
    private static long[] Kernel(ShapeContext context, ImmutableArray<int> weight)
    {
        var kernel = context.Each("kernel_shape", weight.Length - 2, 1, 1);
        long[] sizes = [.. weight.Skip(2).Select(size => (long)size)];
        context.Require(!context.Node.Attributes.ContainsKey("kernel_shape") || kernel.SequenceEqual(sizes), 1, $"a window of {string.Join(" x ", kernel)}");
        context.Require(sizes.All(size => size > 0), 1, "a window of at least one position");
        return sizes;
    }
}
