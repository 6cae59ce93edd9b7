using MLNet.Pruning.Networks.Graph;
using static TorchSharp.torch;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>Tensors within a network by the names that users give: that of a tensor, or of the layer that makes it.</summary>
internal sealed class FeatureTensors
{
    private readonly Dictionary<string, List<string>> _wanted = [];
    private readonly Dictionary<string, Tensor> _found = [];

    /// <param name="network">The network that runs.</param>
    /// <param name="names">The names.</param>
    /// <param name="role">What the network is called in errors.</param>
    /// <exception cref="ArgumentException">There is no such tensor, or the logits do not depend on it.</exception>
    public FeatureTensors(Network network, IEnumerable<string> names, string role)
    {
        foreach (var name in names.Distinct())
        {
            var tensor = Require(network, name, role).Name;
            _wanted.TryAdd(tensor, []);
            _wanted[tensor].Add(name);
        }
    }

    /// <summary>Sees the tensors when the network runs; null where none are wanted.</summary>
    public Action<Node, Func<string, Tensor>>? Visit => _wanted.Count == 0 ? null : See;

    /// <summary>Those of the last run, by the names that were given.</summary>
    public IReadOnlyDictionary<string, Tensor> Found => _found;

    /// <summary>The tensor's name and shape; the first size is the batch.</summary>
    /// <exception cref="ArgumentException">There is no such tensor, or the logits do not depend on it.</exception>
    public static TensorInfo Require(Network network, string name, string role)
    {
        var nodes = Leading(network);
        var tensor = nodes.FirstOrDefault(node => node.Name == name)?.Outputs[0] ?? name;
        return nodes.Any(node => node.Outputs.Contains(tensor)) ? network.Tensors[tensor]
            : throw new ArgumentException($"The {role} has no layer or tensor '{name}' on the way to its "
                + $"logits.{NearestNames.Suggest(name, nodes.Select(node => node.Name))}");
    }

    /// <summary>Whether a softmax makes the tensor of that name, or of the layer of that name.</summary>
    public static bool IsSoftmax(Network network, string name)
        => network.Nodes.Any(node => node is { Domain: "", Operator: "Softmax" } && (node.Name == name || node.Outputs.Contains(name)));

    private void See(Node node, Func<string, Tensor> find)
    {
        foreach (var output in node.Outputs)
        {
            if (_wanted.TryGetValue(output, out var names))
            {
                // The graph disposes its own handle once nothing in it reads the tensor any more.
                var tensor = find(output).alias();
                names.ForEach(name => _found[name] = tensor);
            }
        }
    }

    /// <summary>The nodes that the logits depend on.</summary>
    private static List<Node> Leading(Network network) => NetworkParts.Ancestors(network.Nodes, [network.Logits]);
}
