namespace MLNet.Pruning.Networks.Format;

/// <summary>Names that the subgraphs of a node (If, Loop, Scan) read from outside.</summary>
internal static class SubgraphCaptures
{
    public static IEnumerable<string> Of(NodeProto node)
        => node.Attribute.Count == 0 ? [] : node.Attribute.SelectMany(OnnxGraphOrder.Subgraphs).SelectMany(Of).Distinct();

    private static IEnumerable<string> Of(GraphProto graph)
    {
        var inner = graph.Input.Select(input => input.Name).Concat(graph.Initializer.Select(tensor => tensor.Name))
            .Concat(graph.SparseInitializer.Select(tensor => tensor.Values.Name)).Concat(graph.Node.SelectMany(node => node.Output)).ToHashSet();
        return graph.Node.SelectMany(node => node.Input.Concat(Of(node))).Concat(graph.Output.Select(output => output.Name))
            .Where(name => name.Length > 0 && !inner.Contains(name));
    }
}
