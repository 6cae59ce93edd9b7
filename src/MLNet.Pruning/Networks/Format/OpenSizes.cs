namespace MLNet.Pruning.Networks.Format;

/// <summary>Gives numbers to sizes that a file leaves open.</summary>
internal static class OpenSizes
{
    /// <summary>Writes the numbers into a model's inputs, outputs and what it says of tensors between them.</summary>
    /// <param name="model">The model; changed.</param>
    /// <param name="sizes">Numbers by the name of the dimension; "N" names the batch too.</param>
    /// <param name="file">Name for messages.</param>
    /// <exception cref="ArgumentException">No input has an open dimension of a name, or a number is below 1.</exception>
    public static void Close(ModelProto model, IReadOnlyDictionary<string, int> sizes, string file)
    {
        var batch = Batch(model.Graph);
        var open = Inputs(model.Graph).SelectMany(info => Names(info, batch)).OfType<string>().Distinct().ToArray();
        // Tables show the batch as N, whatever the file calls it.
        sizes = sizes.ToDictionary(size => size.Key == "N" && !open.Contains("N") && open.Contains(batch) ? batch : size.Key, size => size.Value);
        foreach (var (name, size) in sizes)
        {
            if (!open.Contains(name))
            {
                throw new ArgumentException($"{file} has no open dimension '{name}'; "
                    + $"{(open.Length == 0 ? "all its sizes are fixed" : "those it leaves open: " + string.Join(", ", open))}.", nameof(sizes));
            }

            if (size < 1)
            {
                throw new ArgumentException($"The size given for '{name}' of {file} is {size}; expected at least 1.", nameof(sizes));
            }
        }

        foreach (var info in model.Graph.Input.Concat(model.Graph.Output).Concat(model.Graph.ValueInfo))
        {
            foreach (var (dimension, name) in (info.Type?.TensorType?.Shape?.Dim ?? []).Zip(Names(info, batch)))
            {
                if (name is not null && sizes.TryGetValue(name, out var size))
                {
                    dimension.DimValue = size;
                }
            }
        }
    }

    /// <summary>What a graph reads that it does not hold itself.</summary>
    public static IEnumerable<ValueInfoProto> Inputs(GraphProto graph)
    {
        var held = graph.Initializer.Select(tensor => tensor.Name).Concat(graph.SparseInitializer.Select(tensor => tensor.Values.Name)).ToHashSet();
        return graph.Input.Where(input => !held.Contains(input.Name));
    }

    /// <summary>Name of the batch: what the first dimension of the first input is called, else "N".</summary>
    public static string Batch(GraphProto graph)
        => Inputs(graph).FirstOrDefault()?.Type?.TensorType?.Shape?.Dim.FirstOrDefault() is { HasDimParam: true, DimParam: { Length: > 0 } name } ? name : "N";

    /// <summary>Name of an open dimension: the file's own, else the batch's for the first, else tensor and place, as "tokens.1".</summary>
    public static string Name(ValueInfoProto info, int dimension, string batch)
        => info.Type.TensorType.Shape.Dim[dimension] is { HasDimParam: true, DimParam.Length: > 0 } named ? named.DimParam : dimension == 0 ? batch
            : $"{info.Name}.{dimension}";

    /// <summary>
    /// Whether the file leaves a size open: it has no value, or a negative one, which some exporters write and ONNX Runtime reads as none. 0 is a size.
    /// </summary>
    public static bool IsOpen(TensorShapeProto.Types.Dimension dimension) => !dimension.HasDimValue || dimension.DimValue < 0;

    /// <summary>For each dimension its name where it is open, else null.</summary>
    private static IEnumerable<string?> Names(ValueInfoProto info, string batch)
        => (info.Type?.TensorType?.Shape?.Dim ?? []).Select((dimension, i) => IsOpen(dimension) ? Name(info, i, batch) : null);
}
