using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Graph;

/// <summary>The nodes in the branches and bodies of an If, Loop or Scan, and in those within them.</summary>
internal static class SubgraphNodes
{
    public static IEnumerable<Node> Of(Node node) => node.Captured.IsEmpty || node.Proto is not { } proto ? []
        : proto.Attribute.SelectMany(OnnxGraphOrder.Subgraphs)
        .SelectMany(graph => graph.Node).Select(inner => OnnxAttributes.ToNode(inner, inner.Name, inner.Input, [.. SubgraphCaptures.Of(inner)]))
        .SelectMany(inner => Of(inner).Prepend(inner));
}
