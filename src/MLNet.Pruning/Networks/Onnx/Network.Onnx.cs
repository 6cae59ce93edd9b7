using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>Names a stream in messages.</summary>
    internal const string StreamName = "The stream";

    /// <summary>A network from an ONNX file: opsets 7 to 26, weights of 16 to 64 bits, external data beside the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sizes">
    /// Numbers for sizes that the file leaves open, such as the length of a sequence, of at least 1 by the name of the dimension in the file, "N" for the
    /// batch; one without a name there goes by input and place, as "tokens.1". The network keeps them when it is written. Null leaves all open.
    /// </param>
    /// <returns>
    /// The network. An operator that is not known is carried: it stops only what needs to know it, with an error that names it.
    /// </returns>
    /// <remarks>
    /// Values are 32-bit floats in memory, to which those of 64 bits are rounded; files keep the type that they have. A weight that several layers read, if
    /// transposed, cast or in another shape, is one parameter. Weights behind DequantizeLinear are read as what they stand for and written as integers as
    /// long as they are on their grid. A file that was exported for training keeps computing so; in a pipeline its network is scored as for inference.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="OnnxFormatException">The file is not an ONNX model or no regular file, contradicts itself, or points outside its folder.</exception>
    /// <exception cref="ArgumentException">No input has an open dimension of such a name, or a size is below 1.</exception>
    public static Network FromOnnx(string path, IReadOnlyDictionary<string, int>? sizes = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return FromOnnx(OnnxFile.Read(path), sizes, Path.GetFileName(path), Path.GetDirectoryName(Path.GetFullPath(path)));
    }

    /// <summary>
    /// A network from an ONNX model that a stream holds from its position to its end; the stream stays open. It need not be one that can seek.
    /// </summary>
    /// <param name="stream">The stream; its model has all weights in itself, for there is no folder to find others in.</param>
    /// <param name="sizes">Numbers for sizes that the model leaves open, as of a file.</param>
    /// <returns>The network, as of a file.</returns>
    /// <exception cref="OnnxFormatException">It is not an ONNX model, contradicts itself, or keeps weights elsewhere.</exception>
    /// <exception cref="ArgumentException">
    /// The stream cannot be read, no input has an open dimension of such a name, or a size is below 1.
    /// </exception>
    public static Network FromOnnx(Stream stream, IReadOnlyDictionary<string, int>? sizes = null)
        => FromOnnx(OnnxFile.Read(stream), sizes, StreamName, null);

    private static Network FromOnnx(ModelProto model, IReadOnlyDictionary<string, int>? sizes, string name, string? folder)
    {
        OpenSizes.Close(model, sizes ?? ImmutableDictionary<string, int>.Empty, name);
        return OnnxImport.Read(model, name, folder);
    }

    /// <summary>
    /// Writes the network as an ONNX file; one that came from a file and whose operators did not change is written as that file was,
    /// with its present weights. The file is written beside and renamed, so that an old one stays whole until the new one is.
    /// </summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <param name="sparse">
    /// Whether each weight is written in the form that takes least: as floats, as a list of its non-zeros (sparse initializers, with 64-bit indices, where more
    /// than two thirds are zero), or, where it has at most 256 different values, as these and a byte for each place (Cast and Gather). ONNX Runtime expands
    /// them when it loads the file.
    /// </param>
    /// <param name="externalData">
    /// Name of a file in the same folder that takes the weights of at least 1 KB; null keeps all in one file, of at most 2 GB. A hash of the weights is added
    /// to it, so that "w.bin" becomes "w.0123456789abcdef.bin": an older model keeps its own weights until it is replaced, and they stay after that, because
    /// other models may share them.
    /// </param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet, or the file would exceed 2 GB.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">The file cannot be written, or is a folder, a pipe or a device.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public void SaveOnnx(string path, bool sparse = false, string? externalData = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OnnxFile.Write(OnnxWriter.Write(this, sparse), path, externalData);
    }

    /// <summary>Writes the network as an ONNX model where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="sparse">Whether each weight is written in the form that takes least, as to a file.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet, or the model would exceed 2 GB. Nothing was written.</exception>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveOnnx(Stream stream, bool sparse = false)
    {
        OpenStream.Writable(stream);
        OnnxFile.Write(OnnxWriter.Write(this, sparse), stream);
    }

    /// <summary>The network with numbers for open sizes, by their name, read anew so that all that follows from them is computed.</summary>
    internal Network WithSizes(IReadOnlyDictionary<string, int> sizes)
    {
        var model = OnnxWriter.Write(this);
        OpenSizes.Close(model, sizes, "The network");
        return OnnxImport.Read(model, "network", null);
    }
}
