using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Copies of the nodes of a function or a branch for the place where they run: under names that occur nowhere else.</summary>
/// <param name="place">Name of the node that they replace; starts the new names.</param>
/// <param name="names">What is taken in the graph; new names are added.</param>
/// <param name="attributes">What references to the attributes of a function stand for.</param>
internal sealed class InlinedBody(string place, UniqueNames names, IReadOnlyDictionary<string, AttributeProto> attributes)
{
    private readonly Dictionary<string, string> _given = new() { [""] = "" };

    /// <summary>Binds a name inside to one outside.</summary>
    /// <returns>Whether it was not bound before.</returns>
    public bool Bind(string inside, string outside) => _given.TryAdd(inside, outside);

    /// <summary>What a bound name stands for.</summary>
    public string this[string inside] => _given[inside];

    /// <summary>The nodes; names that they neither give nor were bound are those of the graph around them.</summary>
    public IEnumerable<NodeProto> Copy(IReadOnlyCollection<NodeProto> nodes)
    {
        foreach (var name in nodes.SelectMany(Defined).Where(name => !_given.ContainsKey(name)).ToArray())
        {
            _given[name] = names.Next($"{place}/{name}");
        }

        return [.. nodes.Select(Copy)];
    }

    private static IEnumerable<string> Defined(NodeProto node) => node.Output.Concat(node.Attribute.SelectMany(OnnxGraphOrder.Subgraphs).SelectMany(graph
        => graph.Input.Select(info => info.Name).Concat(graph.Initializer.Select(tensor => tensor.Name))
            .Concat(graph.SparseInitializer.Select(tensor => tensor.Values.Name))
            .Concat(graph.Node.SelectMany(Defined))));

    private NodeProto Copy(NodeProto node)
    {
        var copy = new NodeProto
        {
            Name = names.Next($"{place}/{(node.Name.Length > 0 ? node.Name : node.OpType)}"),
            OpType = node.OpType,
            Domain = node.Domain,
            Overload = node.Overload,
        };
        copy.Input.AddRange(node.Input.Select(Name));
        copy.Output.AddRange(node.Output.Select(Name));
        copy.Attribute.AddRange(node.Attribute.Select(Copy).OfType<AttributeProto>());
        return copy;
    }

    private AttributeProto? Copy(AttributeProto attribute)
    {
        if (attribute.RefAttrName.Length > 0)
        {
            // One that is neither given nor has a default is as if the node did not have it.
            return attributes.TryGetValue(attribute.RefAttrName, out var given) ? new AttributeProto(given) { Name = attribute.Name } : null;
        }

        if (!OnnxGraphOrder.Subgraphs(attribute).Any())
        {
            return attribute;
        }

        var copy = attribute.Clone();
        foreach (var graph in OnnxGraphOrder.Subgraphs(copy))
        {
            Rename(graph);
        }

        return copy;
    }

    private void Rename(GraphProto graph)
    {
        foreach (var info in graph.Input.Concat(graph.Output))
        {
            info.Name = Name(info.Name);
        }

        foreach (var tensor in graph.Initializer.Concat(graph.SparseInitializer.Select(sparse => sparse.Values)))
        {
            tensor.Name = Name(tensor.Name);
        }

        var nodes = graph.Node.Select(Copy).ToArray();
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
        graph.ValueInfo.Clear();
    }

    private string Name(string name) => _given.GetValueOrDefault(name, name);
}
