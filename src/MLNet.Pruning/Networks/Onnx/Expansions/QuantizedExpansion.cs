namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>
/// Convolutions and products of integers as those of floats between DequantizeLinear and QuantizeLinear, so that their weights are weights. ONNX
/// Runtime fuses them again when it loads the file.
/// </summary>
internal static class QuantizedExpansion
{
    /// <summary>First version in which DequantizeLinear has a scale for each index.</summary>
    private const long ScaleByIndex = 13;

    public static bool Convolution(Node node, Expansion to) => Expand(node, to, "Conv", axis: 0);

    public static bool Product(Node node, Expansion to)
        => Expand(node, to, "MatMul", to.Shape(node.Inputs[3]) is { IsDefault: false } weight ? weight.Length - 1 : 0);

    /// <summary>Of ONNX Runtime's own domain, which its optimizer writes; it computes floats where it has no scale of its own.</summary>
    public static bool Dense(Node node, Expansion to)
        => node.Float("alpha", 1) == 1 && Expand(node, to, "Gemm", (int)(1 - node.Int("transB", 0)), bias: 6, rounding: 7);

    /// <summary>Of ONNX Runtime's own domain: a sum or a product of two tensors of integers.</summary>
    public static bool Joined(Node node, Expansion to, string @operator) => Between(node, to, @operator, 6, [], 0, 3);

    /// <summary>Of ONNX Runtime's own domain: means of windows, or of all positions, of integers.</summary>
    public static bool Pooled(Node node, Expansion to, string @operator) => node.Int("channels_last", 0) == 0
        && Between(node, to, @operator, 3, [.. node.Attributes.Where(attribute => attribute.Key != "channels_last")
            .Select(attribute => (attribute.Key, attribute.Value))], 0);

    /// <summary>Of ONNX Runtime's own domain: tensors of integers one after another.</summary>
    public static bool Concatenated(Node node, Expansion to) => (node.Inputs.Length - 2) % 3 == 0
        && Between(node, to, "Concat", 0, [("axis", node.Int("axis", 0))], [.. Enumerable.Range(0, (node.Inputs.Length - 2) / 3).Select(i => 2 + 3 * i)]);

    /// <summary>An operator of floats between integers.</summary>
    /// <param name="node">The node.</param>
    /// <param name="to">Takes what it stands for.</param>
    /// <param name="operator">The operator of floats.</param>
    /// <param name="rounding">Where the scale and the zero point of what it computes are.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="inputs">Where each tensor that it reads is, followed by scale and zero point.</param>
    private static bool Between(Node node, Expansion to, string @operator, int rounding, (string, object)[] attributes, params int[] inputs)
    {
        string[] With(params string?[] names) => [.. names.OfType<string>()];
        var floats = to.Emit(@operator, [.. inputs.Select(input => to.Emit("DequantizeLinear",
            With(node.Inputs[input], node.Inputs[input + 1], node.Input(input + 2))))], attributes);
        to.EmitAs(node.Outputs[0], "QuantizeLinear", With(floats, node.Inputs[rounding], node.Input(rounding + 1)));
        return true;
    }

    /// <summary>Of ONNX Runtime's own domain: a weight of a few bits with a scale for each block of inputs, given as bytes.</summary>
    public static bool Blocks(Node node, Expansion to)
    {
        if (to.Unpacked() is not { } weight)
        {
            return false;
        }

        var bias = node.Input(BlockProduct.Bias);
        var product = to.Emit(bias is null ? node.Outputs[0] : null, "MatMul", [node.Inputs[0], weight]);
        if (bias is not null)
        {
            to.EmitAs(node.Outputs[0], "Add", [product, bias]);
        }

        return true;
    }

    /// <param name="node">The node: data, scale, zero point, weight, scale, zero point, and what follows.</param>
    /// <param name="to">Takes what it stands for.</param>
    /// <param name="product">The operator of floats.</param>
    /// <param name="axis">The dimension of the weight that may have a scale an index.</param>
    /// <param name="bias">Where its bias is.</param>
    /// <param name="rounding">Where the scale and the zero point of what it computes are.</param>
    private static bool Expand(Node node, Expansion to, string product, int axis, int bias = 8, int rounding = 6)
    {
        if (to.Floats(node.Inputs[1]) is not [var inputScale] || to.Floats(node.Inputs[4]) is not { } scales || (scales.Length > 1 && to.Opset < ScaleByIndex))
        {
            return false;
        }

        (string, object)[] byIndex = scales.Length > 1 ? [("axis", (long)axis)] : [];
        List<string> inputs = [Dequantize(node, to, 0), to.Emit("DequantizeLinear", [node.Inputs[3], node.Inputs[4], node.Inputs[5]], byIndex)];
        if (node.Input(bias) is { } shift)
        {
            // The standard gives the bias the scale of the input times that of the weight, and no zero point.
            inputs.Add(to.Emit("DequantizeLinear", [shift, to.Numbers([.. scales.Select(one => one * inputScale)])],
                scales.Length > 1 ? [("axis", 0L)] : []));
        }

        var attributes = node.Attributes.Select(attribute => (attribute.Key, attribute.Value)).ToArray();
        if (node.Input(rounding) is not { } scale)
        {
            to.EmitAs(node.Outputs[0], product, [.. inputs], attributes);
            return true;
        }

        var floats = to.Emit(product, [.. inputs], attributes);
        to.EmitAs(node.Outputs[0], "QuantizeLinear", node.Input(rounding + 1) is { } zero ? [floats, scale, zero] : [floats, scale]);
        return true;
    }

    private static string Dequantize(Node node, Expansion to, int input)
        => to.Emit("DequantizeLinear", [node.Inputs[input], node.Inputs[input + 1], node.Inputs[input + 2]]);
}
