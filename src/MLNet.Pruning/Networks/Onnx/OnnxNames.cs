using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>All names that a graph and its subgraphs give: of values and of nodes.</summary>
internal static class OnnxNames
{
    public static IEnumerable<string> Of(GraphProto graph) => graph.Input.Select(info => info.Name)
        .Concat(graph.Initializer.Select(tensor => tensor.Name)).Concat(graph.SparseInitializer.Select(tensor => tensor.Values.Name))
        .Concat(PackedNodes.Of(graph).SelectMany(node => node.Output.Append(node.Name)
            .Concat(node.Attribute.SelectMany(OnnxGraphOrder.Subgraphs).SelectMany(Of))));
}
