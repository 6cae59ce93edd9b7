using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Storage;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// Writes the network in as few bytes as it goes without a loss: what <see cref="SaveOnnx(string, bool, string)"/> writes, through an adaptive arithmetic
    /// coder that predicts which weights are zero from those around them, and what the others are from those before them. Pruned weights on few values cost a
    /// few bits each. The file is written beside and renamed.
    /// </summary>
    /// <param name="path">The file; replaced where it exists. No runtime but this library reads it.</param>
    /// <param name="metadata">
    /// Whether the texts that a network carries are kept: what a network that lost structure says of the one it came from, so that both can be compared, and
    /// what its file had. Scoring needs none.
    /// </param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet, or the file would exceed 2 GB.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">The file cannot be written, or is a folder, a pipe or a device.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    /// <remarks>Each bit of a weight is predicted by itself, here and when it is read: larger networks take seconds.</remarks>
    public void SaveCompressed(string path, bool metadata = true)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = Compressed(metadata);
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>Writes the network where a stream is, which stays open, as to a file.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="metadata">Whether the texts that a network carries are kept.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet, or there would be more than 2 GB. Nothing was written.</exception>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveCompressed(Stream stream, bool metadata = true)
    {
        OpenStream.Writable(stream);
        stream.Write(Compressed(metadata));
    }

    /// <summary>Reads a network that <see cref="SaveCompressed(string, bool)"/> wrote, to the same bits.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFileException">It is damaged, of another version, stands for more than its bytes can, or is none of its kind.</exception>
    public static Network FromCompressed(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw Damaged(path, $"it is {kind}; expected a regular file");
        }

        return FromCompressed(File.Exists(path) ? File.ReadAllBytes(path) : throw new FileNotFoundException($"There is no file '{path}'.", path), path);
    }

    /// <summary>Reads a network that a stream holds from its position to its end; the stream stays open.</summary>
    /// <param name="stream">The stream. It need not be one that can seek.</param>
    /// <exception cref="ModelFileException">It is damaged, of another version, stands for more than its bytes can, or is none of its kind.</exception>
    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    public static Network FromCompressed(Stream stream)
        => FromCompressed(OpenStream.Read(stream) ?? throw Damaged(StreamName, $"it has more than {Array.MaxLength} bytes"), StreamName);

    private byte[] Compressed(bool metadata)
    {
        var coded = Parameters.Where(parameter => parameter.CodeLength == 1).ToArray();
        var model = OnnxWriter.Write(WithParameters(coded.Select(parameter => parameter.Coded(0))));
        if (!metadata)
        {
            model.MetadataProps.Clear();
        }

        return NetworkArchive.Write(model, coded.Select(parameter => parameter.Name).ToHashSet());
    }

    private static Network FromCompressed(byte[] bytes, string name)
    {
        try
        {
            var (model, coded) = NetworkArchive.Read(bytes);
            OnnxValidation.Check(model, name, null);
            var network = OnnxImport.Read(model, name, null);
            return coded.Count == 0 ? network : new(network.Parts with
            {
                Parameters = [.. network.Parameters.Select(parameter => coded.Contains(parameter.Name) ? parameter.Coded(1) : parameter)],
                AsRead = false,
            });
        }
        catch (Exception e) when (e is InvalidDataException or OnnxFormatException or Google.Protobuf.InvalidProtocolBufferException)
        {
            throw Damaged(name, e.Message.TrimEnd('.'), e);
        }
    }

    private static ModelFileException Damaged(string name, string problem, Exception? inner = null) => new($"{name} cannot be loaded: {problem}.", inner);
}
