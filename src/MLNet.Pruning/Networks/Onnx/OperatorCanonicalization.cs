using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Folds the versions of the standard into one inner form: what some versions write as an attribute and others as an operand with a
/// constant value is always an attribute, defaults that changed are written out, outputs that only training needs are dropped.
/// </summary>
internal static class OperatorCanonicalization
{
    /// <summary>Operands that become attributes, by operator and place.</summary>
    public static readonly FrozenDictionary<string, (int Input, string Attribute, Kind Kind)[]> Operands = new Dictionary<string, (int, string, Kind)[]>
    {
        ["Reshape"] = [(1, "shape", Kind.Target)],
        ["Expand"] = [(1, "shape", Kind.Sizes)],
        ["ConstantOfShape"] = [(0, "shape", Kind.Sizes)],
        ["Squeeze"] = [(1, "axes", Kind.Integers)],
        ["Unsqueeze"] = [(1, "axes", Kind.Integers)],
        ["Slice"] = [(4, "steps", Kind.Integers), (3, "axes", Kind.Integers), (2, "ends", Kind.Bounds), (1, "starts", Kind.Bounds)],
        ["Split"] = [(1, "split", Kind.Integers)],
        ["Pad"] = [(3, "axes", Kind.Integers), (2, "value", Kind.Number), (1, "pads", Kind.Integers)],
        ["Clip"] = [(2, "max", Kind.Number), (1, "min", Kind.Number)],
        ["Tile"] = [(1, "repeats", Kind.Integers)],
        ["TopK"] = [(1, "k", Kind.Integer)],
        ["CumSum"] = [(1, "axis", Kind.Integer)],
        ["CumProd"] = [(1, "axis", Kind.Integer)],
        ["Dropout"] = [(2, Node.TrainingMode, Kind.Integer), (1, "ratio", Kind.Number)],
        ["Gather"] = [(1, "indices", Kind.Indices)],
        ["Resize"] = [(3, "sizes", Kind.Sizes), (2, "scales", Kind.Numbers), (1, "", Kind.Dropped)],
        ["Upsample"] = [(1, "scales", Kind.Numbers)],
        ["ReduceSum"] = [(1, "axes", Kind.Integers)],
        ["ReduceMean"] = [(1, "axes", Kind.Integers)],
        ["ReduceMax"] = [(1, "axes", Kind.Integers)],
        ["ReduceMin"] = [(1, "axes", Kind.Integers)],
        ["ReduceProd"] = [(1, "axes", Kind.Integers)],
        ["ReduceL1"] = [(1, "axes", Kind.Integers)],
        ["ReduceL2"] = [(1, "axes", Kind.Integers)],
        ["ReduceLogSum"] = [(1, "axes", Kind.Integers)],
        ["ReduceLogSumExp"] = [(1, "axes", Kind.Integers)],
        ["ReduceSumSquare"] = [(1, "axes", Kind.Integers)],
    }.ToFrozenDictionary();

    internal enum Kind
    {
        Integer,
        Integers,

        /// <summary>Bounds of a slice: numbers, from the end where negative, or open sizes.</summary>
        Bounds,
        Number,
        Numbers,

        /// <summary>Sizes, which may be open.</summary>
        Sizes,

        /// <summary>The target of a reshape, with its 0 and -1.</summary>
        Target,

        /// <summary>Indices of a gather, a list or one.</summary>
        Indices,
        Dropped,
    }

    /// <summary>The node in the inner form.</summary>
    /// <param name="node">As it was read.</param>
    /// <param name="opset">Version of the standard it was written for.</param>
    /// <param name="value">What is known of an operand.</param>
    /// <param name="input">Shape of its first operand; default where unknown.</param>
    /// <param name="symbols">Open sizes.</param>
    /// <param name="openBatch">Whether a batch of 1 was opened, so that a reshape to one row is one to as many as there are.</param>
    /// <param name="isRead">Whether a node reads a tensor, or the graph gives it back.</param>
    public static Node Apply(Node node, long opset, Func<string, FoldedValue?> value, ImmutableArray<int> input, Symbols symbols, bool openBatch,
        Func<string, bool> isRead)
    {
        if (node.Domain.Length > 0)
        {
            return node;
        }

        node = Defaults(Versions(node, opset, input, isRead), input);
        var known = node.Inputs.Select(name => name.Length == 0 ? null : value(name)).ToArray();
        if (Operands.TryGetValue(node.Operator, out var operands))
        {
            node = Fold(node, operands, known, input, symbols, openBatch);
        }

        return node;
    }

    private static Node Fold(Node node, (int Input, string Attribute, Kind Kind)[] operands, FoldedValue?[] known, ImmutableArray<int> input, Symbols symbols,
        bool openBatch)
    {
        var inputs = node.Inputs.ToList();
        // All or none, but for what is dropped anyway: half a Slice in attributes would be another operator.
        var canonical = node;
        foreach (var (i, attribute, kind) in operands)
        {
            if (i >= inputs.Count)
            {
                continue;
            }

            var present = inputs[i].Length > 0;
            inputs.RemoveAt(i);
            if (!present || kind == Kind.Dropped || (kind == Kind.Numbers && known[i] is { Count: 0 }))
            {
                continue;
            }

            if (known[i] is not { } operand || Attribute(operand, kind, node, input, symbols, openBatch) is not { } folded)
            {
                return node;
            }

            canonical = canonical.With(attribute, folded);
            if (kind == Kind.Indices && operand.Shape.Length == 0)
            {
                canonical = canonical.With("scalar", 1L);
            }
        }

        return WithoutAxes(canonical.Without("allowzero").WithInputs(inputs), input);
    }

    /// <summary>The padding of all dimensions, where only that of some axes is given.</summary>
    private static Node WithoutAxes(Node node, ImmutableArray<int> input)
    {
        if (node.Operator != "Pad" || !node.Attributes.ContainsKey("axes") || input.IsDefault)
        {
            return node;
        }

        var (axes, given, pads) = (node.Ints("axes"), node.Ints("pads"), new long[2 * input.Length]);
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = axes[i] < 0 ? axes[i] + input.Length : axes[i];
            (pads[axis], pads[input.Length + axis]) = (given[i], given[axes.Length + i]);
        }

        return node.With("pads", pads).Without("axes");
    }

    private static object? Attribute(FoldedValue operand, Kind kind, Node node, ImmutableArray<int> input, Symbols symbols, bool openBatch) => kind switch
    {
        Kind.Integer when operand is { Ints: [var one], IsOpen: false } => one,
        Kind.Integers when operand is { Ints: { } many, IsOpen: false } => many,
        Kind.Bounds => operand.Ints,
        Kind.Number when operand.Floats is [var one] => one,
        Kind.Numbers when operand.Floats is { } many => many,
        Kind.Sizes => operand.Sizes,
        Kind.Indices when operand is { Ints: { } indices, IsOpen: false, Shape.Length: <= 1 } => indices,
        Kind.Target when operand.Ints is { } target && !input.IsDefault =>
            Target(node, openBatch && input is [TensorInfo.Batch, ..] && target is [1, ..] ? [FoldedValue.FromSize(TensorInfo.Batch), .. target[1..]] : target,
                input, symbols),
        _ => null,
    };

    /// <summary>A reshape's target with 0 (as the input) and -1 (what is left) worked out; null where it cannot be determined.</summary>
    private static long[]? Target(Node node, long[] target, ImmutableArray<int> input, Symbols symbols)
    {
        var sizes = new long[target.Length];
        var rest = -1;
        for (var i = 0; i < target.Length; i++)
        {
            if (target[i] == -1)
            {
                rest = i;
                sizes[i] = 1;
            }
            else if (target[i] == 0 && node.Int("allowzero", 0) == 0 && i < input.Length)
            {
                sizes[i] = input[i];
            }
            else if (target[i] >= 0 || FoldedValue.IsOpenSize(target[i]))
            {
                sizes[i] = FoldedValue.ToSize(target[i]);
            }
            else
            {
                return null;
            }
        }

        if (rest >= 0)
        {
            if (symbols.Quotient(symbols.Product(input), symbols.Product(sizes.Select(size => (int)size))) is not { } left)
            {
                return null;
            }

            sizes[rest] = left;
        }

        return sizes;
    }

    private static Node Versions(Node node, long opset, ImmutableArray<int> input, Func<string, bool> isRead)
    {
        if (node.Operator == "BatchNormalization" && opset < Node.TrainingModeOpset && node.Outputs.Skip(1).Any(output => output.Length > 0))
        {
            // Before there was an attribute, outputs of training said that the batch's statistics are meant.
            node = node.With(Node.TrainingMode, 1L);
        }

        switch (node.Operator)
        {
            case "Softmax" or "LogSoftmax" or "Hardmax" when !node.Attributes.ContainsKey("axis"):
                return node.With("axis", opset < 13 ? 1L : -1L);
            case "Split" when !node.Attributes.ContainsKey("split") && node.Inputs.Length < 2 && !input.IsDefault:
                return EvenSplit(node, input);
            case "Dropout" or "BatchNormalization" when !node.Outputs.Skip(1).Any(isRead):
                // The others are masks and running statistics of training.
                return node.WithOutputs(node.Outputs.Take(1));
            case "Upsample":
                return node.With("coordinate_transformation_mode", "asymmetric").With("nearest_mode", "floor")
                    .AsOperator("Resize", node.Inputs.Length > 1 ? [node.Inputs[0], "", node.Inputs[1]] : node.Inputs);
            case "Resize" when opset < 11:
                return node.With("coordinate_transformation_mode", "asymmetric").With("nearest_mode", "floor").WithInputs([node.Inputs[0], "", node.Inputs[1]]);
            default:
                return node;
        }
    }

    private static Node EvenSplit(Node node, ImmutableArray<int> input)
    {
        var axis = (int)(node.Int("axis", 0) is var a && a < 0 ? a + input.Length : a);
        var parts = node.Outputs.Length;
        if (axis < 0 || axis >= input.Length || node.Int("num_outputs", parts) != parts)
        {
            throw new ArgumentException($"it splits dimension {axis} of {TensorInfo.Dimensions(input)} into {node.Int("num_outputs", parts)}, and has {parts} "
                + "outputs");
        }

        var size = input[axis];
        if (size < 0)
        {
            return node;
        }

        // The last part is smaller where the parts do not divide the dimension.
        var each = (size + parts - 1) / parts;
        return node.Without("num_outputs").With("split", Enumerable.Range(0, parts).Select(i => (long)Math.Min(each, size - i * each)).ToArray());
    }

    /// <summary>Explicit padding in place of auto_pad, where the sizes are known.</summary>
    private static Node Defaults(Node node, ImmutableArray<int> input)
    {
        var mode = node.Text("auto_pad", "NOTSET");
        if (node.Operator is not ("Conv" or "MaxPool" or "AveragePool" or "LpPool") || mode == "NOTSET")
        {
            return node.Operator is "Conv" or "MaxPool" or "AveragePool" or "LpPool" ? node.Without("auto_pad") : node;
        }

        if (input.IsDefault || input.Skip(2).Any(size => size < 0) || !node.Attributes.ContainsKey("kernel_shape"))
        {
            return mode == "VALID" ? node.Without("auto_pad") : node;
        }

        var (kernel, space) = (node.Ints("kernel_shape"), input.Length - 2);
        var (strides, dilations) = (node.Ints("strides", [.. kernel.Select(_ => 1L)]), node.Ints("dilations", [.. kernel.Select(_ => 1L)]));
        var pads = new long[2 * space];
        for (var i = 0; i < space && mode != "VALID"; i++)
        {
            var output = (input[2 + i] + strides[i] - 1) / strides[i];
            var total = Math.Max(0, (output - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - input[2 + i]);
            pads[i] = mode == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
            pads[space + i] = total - pads[i];
        }

        return node.Without("auto_pad").With("pads", pads);
    }
}
