using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Scoring.Profiling;

/// <summary>Which nodes of a network each node of the graph that ONNX Runtime made of it computes.</summary>
/// <param name="network">The network as it was given to ONNX Runtime.</param>
/// <param name="kernels">The nodes of the graph that it made.</param>
internal sealed class KernelCover(Network network, IReadOnlyList<NodeProto> kernels)
{
    /// <summary>How ONNX Runtime ends the names of nodes in the blocked layout, which begin with the tensor that they make.</summary>
    private static readonly string[] s_blocked = ["_bn_nchwc", "_nchwc"];

    /// <summary>
    /// The tensor of the network that each makes. What is fused keeps the name of its last output; in the blocked layout the name of the node has it.
    /// </summary>
    private readonly string?[] _made = [.. kernels.Select(kernel => kernel.Output.FirstOrDefault(output => network.Producer(output) is not null)
        ?? s_blocked.Where(end => kernel.Name.EndsWith(end, StringComparison.Ordinal)).Select(end => kernel.Name[..^end.Length])
            .FirstOrDefault(tensor => network.Producer(tensor) is not null)
        ?? network.Nodes.FirstOrDefault(node => node.Name == kernel.Name)?.Outputs[0])];

    /// <summary>The nodes, the last first; none where nothing tells them.</summary>
    public ImmutableArray<Node>[] Find()
    {
        var others = _made.OfType<string>().Concat(kernels.SelectMany(kernel => kernel.Output)).ToHashSet();
        ImmutableArray<Node>[] found = [.. _made.Select(made => made is null ? [] : Behind(made, others))];
        for (var i = 0; i < found.Length; i++)
        {
            // What ONNX Runtime added, such as a change of layout, belongs to what reads it, or else to what it reads.
            found[i] = !found[i].IsEmpty ? found[i]
                : found.Where((cover, k) => !cover.IsEmpty && kernels[k].Input.Intersect(kernels[i].Output).Any())
                    .Concat(found.Where((cover, k) => !cover.IsEmpty && kernels[k].Output.Intersect(kernels[i].Input).Any())).FirstOrDefault([]);
        }

        return found;
    }

    /// <summary>What makes a tensor, back to what other nodes make.</summary>
    private ImmutableArray<Node> Behind(string made, HashSet<string> others)
    {
        var nodes = new List<Node>();
        var next = new Queue<Node>([network.Producer(made)!]);
        while (next.TryDequeue(out var node))
        {
            if (!nodes.Contains(node))
            {
                nodes.Add(node);
                foreach (var producer in node.Inputs.Where(input => !others.Contains(input)).Select(network.Producer).OfType<Node>())
                {
                    next.Enqueue(producer);
                }
            }
        }

        return [.. nodes];
    }
}
