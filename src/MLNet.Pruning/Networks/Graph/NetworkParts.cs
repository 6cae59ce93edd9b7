using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Graph;

/// <summary>What a network is made of, before anything is checked.</summary>
internal sealed record NetworkParts
{
    /// <summary>Version from which a softmax works along one dimension; before, along all from its axis on.</summary>
    public const long SoftmaxOfOneDimension = 13;

    public required ImmutableArray<TensorInfo> Inputs { get; init; }

    /// <summary>Names of the tensors it computes.</summary>
    public required ImmutableArray<string> Outputs { get; init; }

    /// <summary>In an order in which each comes after all that it reads.</summary>
    public required ImmutableArray<Node> Nodes { get; init; }

    public required ImmutableArray<Parameter> Parameters { get; init; }

    public ImmutableArray<Constant> Constants { get; init; } = [];

    /// <summary>Open sizes that the shapes and attributes name; only ever added to, and shared by the networks made from each other.</summary>
    public Symbols Symbols { get; init; } = new();

    /// <summary>What a file says of tensors whose shape cannot be inferred.</summary>
    public ImmutableDictionary<string, TensorInfo>? Declared { get; init; }

    /// <summary>The file's model, weights taken out: metadata, versions and all that is carried. Null for a network that was built.</summary>
    public ModelProto? Model { get; init; }

    /// <summary>Version of the standard that the file is written for; the newest for a network that was built.</summary>
    public long Opset => Model?.OpsetImport.FirstOrDefault(import => import.Domain is "" or "ai.onnx")?.Version ?? long.MaxValue;

    /// <summary>Whether the nodes are still those of <see cref="Model"/>, so that it can be written back as it was read.</summary>
    public bool AsRead { get; init; }

    /// <summary>Where in <see cref="Model"/> changed values of parameters can be put back; others make the file be written anew.</summary>
    public ImmutableDictionary<string, WeightSource> Sources { get; init; } = ImmutableDictionary<string, WeightSource>.Empty;

    /// <summary>Texts that files carry beside the network.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The graph with what its outputs are computed from, and nothing else.</summary>
    public NetworkParts Needed()
    {
        var nodes = Ancestors(Nodes, Outputs);
        var used = nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).Concat(Outputs).ToHashSet();
        return this with
        {
            Nodes = [.. nodes],
            Parameters = [.. Parameters.Where(parameter => used.Contains(parameter.Name))],
            Constants = [.. Constants.Where(constant => used.Contains(constant.Name))],
        };
    }

    /// <summary>The nodes that some tensors are computed from, in order.</summary>
    /// <param name="nodes">Nodes in an order in which each comes after all that it reads.</param>
    /// <param name="tensors">Names of the tensors.</param>
    /// <param name="reads">What a node reads, asked of each from the last on; null for its operands and what its branches and bodies read.</param>
    public static List<Node> Ancestors(IReadOnlyList<Node> nodes, IEnumerable<string> tensors, Func<Node, IEnumerable<string>>? reads = null)
    {
        var needed = tensors.ToHashSet();
        var ancestors = new List<Node>();
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i].Outputs.Any(output => output.Length > 0 && needed.Contains(output)))
            {
                ancestors.Add(nodes[i]);
                needed.ExceptWith(nodes[i].Outputs);
                needed.UnionWith(reads?.Invoke(nodes[i]) ?? nodes[i].Inputs.Concat(nodes[i].Captured));
            }
        }

        ancestors.Reverse();
        return ancestors;
    }
}
