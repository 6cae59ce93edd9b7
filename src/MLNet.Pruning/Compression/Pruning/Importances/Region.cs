using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>A layer and what comes behind it, up to some layers with weights further on: what it does to the network, without the whole of it.</summary>
internal static class Region
{
    /// <summary>
    /// Name of the tensor that the region puts out: the first behind the layer that all which the layer gives goes through, with so many layers with weights on
    /// the longest way to it; biases are added. The logits where there are no more; null where they do not depend on the layer.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="layer">A layer of it.</param>
    /// <param name="layersOn">Layers with weights behind the layer; 0 for what the layer itself gives.</param>
    /// <param name="fits">Whether a tensor other than the logits will do; null for all.</param>
    public static string? Output(Network network, Node layer, int layersOn, Func<string, bool>? fits = null)
    {
        var nodes = NetworkParts.Ancestors(network.Nodes, [network.Logits]);
        var first = nodes.FindIndex(node => node.Name == layer.Name);
        if (first < 0)
        {
            return null;
        }

        var weighted = network.Layers.Where(one => one.Weights.Length > 0).Select(one => one.Node.Name).ToHashSet();
        var lastReader = nodes.Index().SelectMany(node => Reads(node.Item).Select(tensor => (Tensor: tensor, node.Index)))
            .GroupBy(read => read.Tensor).ToDictionary(reads => reads.Key, reads => reads.Max(read => read.Index));
        // What depends on the layer, with the layers on the longest way to it; the last node that reads any of it but the newest.
        var (depths, open) = (new Dictionary<string, int>(), first);
        for (var i = first; i < nodes.Count; i++)
        {
            var node = nodes[i];
            var before = Reads(node).Where(depths.ContainsKey).Select(tensor => depths[tensor]).ToArray();
            if (i > first && before.Length == 0)
            {
                continue;
            }

            var depth = i == first ? 0 : before.Max() + (weighted.Contains(node.Name) ? 1 : 0);
            string[] outputs = [.. node.Outputs.Where(lastReader.ContainsKey)];
            if (open <= i && outputs is [var output] && depth >= layersOn && fits?.Invoke(output) != false)
            {
                return Shifted(network, output);
            }

            foreach (var tensor in outputs)
            {
                depths[tensor] = depth;
                open = Math.Max(open, lastReader[tensor]);
            }
        }

        return network.Logits;
    }

    private static IEnumerable<string> Reads(Node node) => node.Inputs.Concat(node.Captured);

    /// <summary>A tensor with the parameter that is added to it next.</summary>
    private static string Shifted(Network network, string tensor) => network.Consumers(tensor).Take(2).ToArray() is [{ Domain: "", Operator: "Add" } next]
        && network.Parameter(next.Inputs[next.Inputs[0] == tensor ? 1 : 0]) is not null ? next.Outputs[0] : tensor;
}
