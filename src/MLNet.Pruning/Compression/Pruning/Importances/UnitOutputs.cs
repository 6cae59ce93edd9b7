using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Where the units of a layer can be seen: behind normalisation and activation, before anything mixes them.</summary>
/// <param name="Weight">The layer's weight.</param>
/// <param name="Dimension">The weight's dimension of outputs.</param>
/// <param name="Tensor">Name of the tensor.</param>
/// <param name="Axis">The tensor's dimension of units; negative ones count from the last.</param>
internal sealed record UnitOutputs(string Weight, int Dimension, string Tensor, int Axis)
{
    /// <summary>Those of all dense layers and convolutions.</summary>
    public static IEnumerable<UnitOutputs> Of(Network network)
    {
        foreach (var layer in network.Layers.Where(layer => layer.Weights.Length == 1))
        {
            var (node, weight) = (layer.Node, network[layer.Weights[0]]);
            // The channels of a grouped transposed convolution are no dimension of its weight.
            if (layer.Operand(weight.Name) is { Input: 1, Product: { } product } && layer.Axes(weight) is var axes && axes.Output != axes.Input
                && (axes.Output == 0 || !axes.IsConvolution || node.Int("group", 1) == 1))
            {
                yield return new(weight.Name, axes.Output, Activation(network, node.Outputs[0]), product.Makes);
            }
        }
    }

    /// <summary>Follows a tensor as long as a single node reads it that works on each unit alone.</summary>
    private static string Activation(Network network, string tensor)
    {
        while (network.Graph.Outputs.All(output => output != tensor)
            && network.Consumers(tensor).Take(2).ToArray() is [{ Domain: "" } only] && only.Inputs[0] == tensor && IsOfUnit(network, only))
        {
            tensor = only.Outputs[0];
        }

        return tensor;
    }

    private static bool IsOfUnit(Network network, Node node) => node.Operator switch
    {
        "BatchNormalization" or "PRelu" => true,
        // A bias that stands by itself.
        "Add" => network.TryGetParameter(node.Inputs[1], out var bias) && bias.Shape.Length == 1,
        _ => OperatorCatalogue.Find(node) is { IsUnary: true },
    };
}
