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

    private static bool Expand(Node node, Expansion to, string product, int axis)
    {
        if (to.Floats(node.Inputs[1]) is not [var inputScale] || to.Floats(node.Inputs[4]) is not { } scales || (scales.Length > 1 && to.Opset < ScaleByIndex))
        {
            return false;
        }

        (string, object)[] byIndex = scales.Length > 1 ? [("axis", (long)axis)] : [];
        List<string> inputs = [Dequantize(node, to, 0), to.Emit("DequantizeLinear", [node.Inputs[3], node.Inputs[4], node.Inputs[5]], byIndex)];
        if (node.Input(8) is { } bias)
        {
            // The standard gives the bias the scale of the input times that of the weight, and no zero point.
            inputs.Add(to.Emit("DequantizeLinear", [bias, to.Numbers([.. scales.Select(scale => scale * inputScale)])],
                scales.Length > 1 ? [("axis", 0L)] : []));
        }

        var floats = to.Emit(product, [.. inputs], [.. node.Attributes.Select(attribute => (attribute.Key, attribute.Value))]);
        to.EmitAs(node.Outputs[0], "QuantizeLinear", [floats, node.Inputs[6], node.Inputs[7]]);
        return true;
    }

    private static string Dequantize(Node node, Expansion to, int input)
        => to.Emit("DequantizeLinear", [node.Inputs[input], node.Inputs[input + 1], node.Inputs[input + 2]]);
}
