using Google.Protobuf;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>ONNX files as they lie on disk, checked when they are read and before they are written.</summary>
internal static class OnnxFile
{
    /// <summary>Reads a model; values in external files stay there, but it is checked that they are there.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="OnnxFormatException">The file is damaged, hostile or not ONNX, or no regular file.</exception>
    public static ModelProto Read(string path)
    {
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw new OnnxFormatException($"{path} is {kind}; expected a regular file.");
        }

        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no file '{path}'.", path);
        }

        using var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        return length <= Array.MaxLength ? Parse(new ModelBytes(file, (int)length), path, FolderOf(path))
            : throw new OnnxFormatException($"{path} has {length} bytes; an ONNX file has at most {Array.MaxLength}, larger models keep their weights in "
                + "external files.");
    }

    /// <summary>Reads a model from where a stream is to its end. It can have no external data.</summary>
    /// <exception cref="OnnxFormatException">The bytes are damaged, hostile or not ONNX, or more than an array can hold.</exception>
    public static ModelProto Read(Stream stream) => Parse(OpenStream.Read(stream) ?? throw new OnnxFormatException(
        $"{Network.StreamName} has more than {Array.MaxLength} bytes; an ONNX file has at most that."), Network.StreamName);

    /// <summary>Reads a model from memory. It can have no external data.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="name">Names the model in messages.</param>
    /// <exception cref="OnnxFormatException">The bytes are damaged, hostile or not ONNX.</exception>
    public static ModelProto Parse(byte[] bytes, string name) => Parse(new ModelBytes(bytes), name, folder: null);

    /// <summary>Writes a model as a whole or not at all.</summary>
    /// <param name="model">Stays as it is.</param>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="externalData">
    /// Name of a file beside it for the values of all tensors of at least 1 KB, to which a hash of what it holds is added; null to keep them in the model.
    /// </param>
    /// <exception cref="OnnxFormatException">The model would be refused when it is read again.</exception>
    /// <exception cref="InvalidOperationException">It needs more than 2 GB without external data.</exception>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written to. Nothing has changed.</exception>
    public static void Write(ModelProto model, string path, string? externalData = null)
    {
        OnnxValidation.Check(model, path, FolderOf(path));
        if (externalData is null)
        {
            CheckSize(model, path);
            AtomicFile.Write(path, model.WriteTo);
            return;
        }

        if (externalData.Length == 0 || Path.GetFileName(externalData) != externalData || externalData == Path.GetFileName(path))
        {
            throw new ArgumentException($"The external data of {path} cannot lie in '{externalData}'; expected the name of another file in the same folder.",
                nameof(externalData));
        }

        if (OnnxTensors.Of(model).FirstOrDefault(OnnxTensorSize.IsExternal) is { } external)
        {
            throw new InvalidOperationException($"Tensor '{external.Name}' of {path} still lies in an external file: read it in before it is written to "
                + "another one.");
        }

        // The model comes last: until it is replaced, the older one finds its own weights, whose name says what they are.
        var location = OnnxExternalData.NameByContent(model, externalData);
        AtomicFile.Write(Path.Combine(FolderOf(path), location), stream => OnnxExternalData.Write(model, stream));
        // Values are shared between clones, not copied.
        var light = model.Clone();
        OnnxExternalData.MoveOut(light, location);
        AtomicFile.Write(path, light.WriteTo);
    }

    /// <summary>Writes a model where a stream is.</summary>
    /// <exception cref="OnnxFormatException">The model would be refused when it is read again. Nothing was written.</exception>
    /// <exception cref="InvalidOperationException">It needs more than 2 GB. Nothing was written.</exception>
    public static void Write(ModelProto model, Stream stream)
    {
        OnnxValidation.Check(model, Network.StreamName, null);
        CheckSize(model, Network.StreamName);
        model.WriteTo(stream);
    }

    private static void CheckSize(ModelProto model, string name)
    {
        if (Size(model) is > int.MaxValue and var size)
        {
            throw new InvalidOperationException($"{name} would have {size} bytes; an ONNX file has at most {int.MaxValue}. Keep the weights in an "
                + "external file.");
        }
    }

    private static ModelProto Parse(ModelBytes bytes, string name, string? folder)
    {
        ModelProto model;
        try
        {
            model = OnnxParsing.Parse(bytes);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw new OnnxFormatException($"{name} is not a whole ONNX file: {exception.Message.TrimEnd('.')} (byte {FailingByte(bytes)} of {bytes.Length}).",
                exception);
        }

        catch (OnnxFormatException exception)
        {
            throw new OnnxFormatException($"{name} {exception.Message}", exception);
        }

        OnnxValidation.Check(model, name, folder);
        return model;
    }

    /// <summary>How far the parser comes; that of arrays does not tell, but is the faster one.</summary>
    private static long FailingByte(ModelBytes bytes)
    {
        using var input = new CodedInputStream(bytes.With(0, bytes.Length));
        try
        {
            new ModelProto().MergeFrom(input);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            // Known already; only the place is missing.
        }

        return Math.Clamp(input.Position, 0, bytes.Length);
    }

    // Protobuf adds lengths in 32 bits: those near 2 GB make it step outside the array, which is refused, but as such.
    private static bool IsDamage(Exception exception) => exception is InvalidProtocolBufferException or IndexOutOfRangeException or ArgumentException
        or OverflowException;

    /// <summary>Bytes of the file. Protobuf counts in 32 bits and would wrap around, so values are counted apart.</summary>
    private static long Size(ModelProto model)
    {
        var values = OnnxTensors.Of(model).Sum(AtLeast);
        return values > int.MaxValue ? values : (uint)model.CalculateSize();
    }

    /// <summary>Integers outside raw data take a byte or more.</summary>
    private static long AtLeast(TensorProto tensor) => tensor.RawData.Length + (4L * tensor.FloatData.Count) + (8L * tensor.DoubleData.Count)
        + tensor.Int32Data.Count + tensor.Int64Data.Count + tensor.Uint64Data.Count;

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
