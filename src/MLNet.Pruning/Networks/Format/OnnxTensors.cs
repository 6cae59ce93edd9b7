namespace MLNet.Pruning.Networks.Format;

/// <summary>All tensors of a model.</summary>
internal static class OnnxTensors
{
    /// <summary>Initializers and attributes of the graph, of its subgraphs and of the model's functions.</summary>
    public static IEnumerable<TensorProto> Of(ModelProto model) =>
        Of(model.Graph ?? new()).Concat(model.Functions.SelectMany(function => function.Node).SelectMany(Of));

    /// <summary>Takes the values out of a tensor of floats, wherever they are.</summary>
    public static void ClearFloats(TensorProto tensor)
    {
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.Int32Data.Clear();
        tensor.DoubleData.Clear();
        tensor.ExternalData.Clear();
        tensor.ClearDataLocation();
    }

    private static IEnumerable<TensorProto> Of(GraphProto graph) =>
        graph.Initializer.Concat(graph.SparseInitializer.SelectMany(Of)).Concat(graph.Node.SelectMany(Of));

    private static IEnumerable<TensorProto> Of(NodeProto node) => node.Attribute.SelectMany(attribute =>
        (attribute.T is null ? [] : new[] { attribute.T })
        .Concat(attribute.Tensors)
        .Concat(attribute.SparseTensor is null ? [] : Of(attribute.SparseTensor))
        .Concat(attribute.SparseTensors.SelectMany(Of))
        .Concat(attribute.G is null ? [] : Of(attribute.G))
        .Concat(attribute.Graphs.SelectMany(Of)));

    private static TensorProto[] Of(SparseTensorProto sparse) => [.. new[] { sparse.Values, sparse.Indices }.Where(tensor => tensor is not null)];
}
