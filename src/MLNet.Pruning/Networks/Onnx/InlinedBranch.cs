using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>The branch of an If whose condition is known, in the place of the If.</summary>
internal static class InlinedBranch
{
    /// <summary>Its nodes, under the names that the If gives.</summary>
    /// <param name="proto">The If.</param>
    /// <param name="attribute">Name of the attribute that holds the branch.</param>
    /// <param name="names">What is taken in the graph; new names are added.</param>
    public static IEnumerable<NodeProto> Nodes(NodeProto proto, string attribute, UniqueNames names)
    {
        var branch = proto.Attribute.FirstOrDefault(found => found.Name == attribute)?.G ?? throw new ArgumentException($"it has no {attribute}");
        var constants = branch.Initializer.Select(tensor => new NodeProto
        {
            OpType = "Constant", Output = { tensor.Name }, Attribute = { new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor,
                T = tensor } },
        });
        NodeProto[] nodes = [.. constants, .. OnnxGraphOrder.Sort(branch, branch.Name)];
        var inlined = new InlinedBody(proto.Name.Length > 0 ? proto.Name : proto.Output[0], names, ImmutableDictionary<string, AttributeProto>.Empty);
        var own = nodes.SelectMany(node => node.Output).ToHashSet();
        var given = new List<NodeProto>();
        for (var i = 0; i < proto.Output.Count; i++)
        {
            var name = branch.Output[i].Name;
            if (!own.Contains(name) || !inlined.Bind(name, proto.Output[i]))
            {
                // What it gives is of the graph around it, or given twice.
                given.Add(new NodeProto { OpType = "Identity", Input = { own.Contains(name) ? inlined[name] : name }, Output = { proto.Output[i] } });
            }
        }

        return inlined.Copy(nodes).Concat(given);
    }
}
