using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>The weights of a network that can have another form.</summary>
internal static class FloatWeights
{
    /// <summary>Each once, with the first layer that multiplies with it, in the order of the network; why others cannot is noted.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static IReadOnlyList<(LayerInfo Layer, Parameter Weight)> Of(Network network, Quantizer quantizer, QuantizationStep step)
    {
        var weights = new List<(LayerInfo, Parameter)>();
        foreach (var (name, layer) in network.Layers.Where(layer => step.Only?.Contains(layer.Node.Name) != false)
            .SelectMany(layer => layer.Weights.Select(name => (name, layer))).DistinctBy(pair => pair.name))
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            if (network[name] is { Type: TensorType.Float, Grid: null } weight)
            {
                weights.Add((layer, weight));
            }
            else
            {
                step.Floats.Add((layer.Node.Name, network[name].Grid is null ? $"its weight is of type {network[name].Type}"
                    : "its weight is of integers already"));
            }
        }

        return weights.Count > 0 ? weights : throw step.Nothing(quantizer);
    }
}
