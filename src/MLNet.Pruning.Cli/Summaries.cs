using MLNet.Pruning.Cli.Runtime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Cli;

/// <summary>A tensor that goes into a network or comes out.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Sizes; open ones by name, "N" for the batch. Null where an unknown operator hides it.</param>
internal sealed record TensorSummary(string Name, string Type, object[]? Shape)
{
    public static TensorSummary Of(Network network, TensorInfo tensor) => new(tensor.Name, tensor.Type.ToString().ToLowerInvariant(), Sizes(network, tensor));

    /// <summary>Sizes as numbers, open ones by name.</summary>
    public static object[]? Sizes(Network network, TensorInfo tensor)
        => tensor.IsKnown ? [.. tensor.Shape.Select(size => size >= 0 ? (object)size : size == TensorInfo.Batch ? "N" : network.Graph.Symbols.Name(size))]
            : null;
}

/// <summary>A model file in figures.</summary>
/// <param name="File">Its path as it was given.</param>
/// <param name="Bytes">What it needs on disk, weights in files beside it counted.</param>
/// <param name="Parameters">Trained values.</param>
/// <param name="NonZeros">Those that are not zero.</param>
/// <param name="MultiplyAdds">For one row; null where the number depends on open sizes or cannot be determined.</param>
/// <param name="MultiplyAddsFormula">The same as text, with open sizes by name.</param>
internal sealed record FileSummary(string File, long Bytes, long Parameters, long NonZeros, long? MultiplyAdds, string MultiplyAddsFormula)
{
    /// <summary>Bytes of a file and of its weights in files beside it.</summary>
    public static long SizeOnDisk(FileInfo file)
    {
        file.Refresh();
        if (NetworkFile.IsCompressed(file))
        {
            return file.Exists ? Length(file) : throw new FileNotFoundException($"There is no file '{file}'.", file.ToString());
        }

        // Read first: that says what is wrong with it.
        return OnnxExternalData.Bytes(OnnxFile.Read(file.ToString())) + Length(file);
    }

    /// <summary>Of what a link leads to, not of the link.</summary>
    private static long Length(FileInfo file) => (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;

    public static FileSummary Of(FileInfo file, NetworkCost cost)
    {
        return new(file.ToString(), SizeOnDisk(file), cost.Total.Parameters, cost.Total.NonZeros, cost.Total.MultiplyAdds, cost.Total.MultiplyAddsFormula);
    }
}
