using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>A dense layer or convolution whose weight can be held as integers.</summary>
/// <param name="Node">The layer.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="Channel">The dimension of the weight that makes the outputs.</param>
/// <param name="Bias">Its bias; null for none.</param>
internal sealed record QuantizableLayer(Node Node, Parameter Weight, int Channel, Parameter? Bias)
{
    /// <summary>Whether it moves a window over positions.</summary>
    public bool IsConvolution => Node.Operator == "Conv";

    /// <summary>The layers of a network whose products ONNX Runtime computes with integers; why others are left is noted.</summary>
    public static IReadOnlyList<QuantizableLayer> Of(Network network, QuantizationStep step)
    {
        var layers = new List<QuantizableLayer>();
        foreach (var layer in network.Layers.Where(layer => layer.Weights.Length > 0 && step.Only?.Contains(layer.Node.Name) != false))
        {
            if (Refusal(network, layer) is { } reason)
            {
                step.Floats.Add((layer.Node.Name, reason));
                continue;
            }

            var weight = network[layer.Weights[0]];
            layers.Add(new(layer.Node, weight, layer.Axes(weight).Output, layer.Node.Input(2) is { } bias ? network[bias] : null));
        }

        return layers;
    }

    private static string? Refusal(Network network, LayerInfo layer)
    {
        var node = layer.Node;
        if (node.Domain.Length > 0 || node.Operator is not ("Conv" or "Gemm" or "MatMul"))
        {
            return $"ONNX Runtime multiplies no integers in {node.Operator}";
        }

        if (layer.Weights.Length != 1 || layer.Operand(layer.Weights[0]).Input != 1 || node.Inputs[1] != layer.Weights[0])
        {
            return "its weight is not its second operand as it is";
        }

        if (network[layer.Weights[0]] is not { Type: TensorType.Float, Grid: null } weight || (node.Operator == "MatMul" && weight.Shape.Length != 2))
        {
            return network[layer.Weights[0]].Grid is not null ? "its weight is of integers already" : "its weight is not a matrix or kernel of 32-bit floats";
        }

        if (node.Int("transA", 0) == 1 || node.Float("alpha", 1) != 1 || node.Float("beta", 1) != 1)
        {
            return "it transposes or scales what it multiplies";
        }

        return node.Input(2) is { } bias && (network.Parameter(bias) is not { Type: TensorType.Float, Grid: null } values
            || values.Count != weight.Shape[layer.Axes(weight).Output]) ? "its bias is computed, or not one of its outputs" : null;
    }
}
