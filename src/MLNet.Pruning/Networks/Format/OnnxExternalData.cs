using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MLNet.Pruning.Files;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

/// <summary>Values of tensors in files beside the model, as the ONNX standard lays them down: location, offset, length.</summary>
internal static class OnnxExternalData
{
    private const int SmallestExternal = 1024;

    // What the file systems of Linux, Windows and macOS hold.
    private const int LongestName = 255;

    /// <summary>Bytes that the tensors of a model take in files beside it, those that several share once.</summary>
    public static long Bytes(ModelProto model) => OnnxTensors.Of(model).Where(OnnxTensorSize.IsExternal)
        .Select(tensor => (Location: Entry(tensor, "location"), Offset: Entry(tensor, "offset"),
            Bytes: OnnxTensorSize.Bytes(OnnxTensor.Count(tensor), OnnxTensorSize.Bits((DataType)tensor.DataType, tensor.Name))))
        .Distinct().Sum(part => (long)part.Bytes);

    private static string Entry(TensorProto tensor, string key) => tensor.ExternalData.FirstOrDefault(entry => entry.Key == key)?.Value ?? "";

    /// <summary>The file and the offset in it at which the values lie, after checking that all of them do.</summary>
    /// <param name="tensor">A tensor with external data.</param>
    /// <param name="bytes">How many bytes its values take.</param>
    /// <param name="folder">The model's folder; the file may not lie outside it, however it is named.</param>
    /// <param name="place">Starts the message.</param>
    /// <exception cref="OnnxFormatException">The location is hostile, or the file has fewer bytes.</exception>
    public static (string Path, long Offset) Locate(TensorProto tensor, Int128 bytes, string? folder, string place)
    {
        var entries = new Dictionary<string, string>();
        foreach (var entry in tensor.ExternalData)
        {
            if (!entries.TryAdd(entry.Key, entry.Value))
            {
                throw new OnnxFormatException($"{place} gives '{entry.Key}' of its external data twice.");
            }
        }

        var location = entries.GetValueOrDefault("location", "");
        var offset = Number(entries, "offset", place) ?? 0;
        if (Number(entries, "length", place) is { } length && length != bytes)
        {
            throw new OnnxFormatException($"{place} has {length} bytes in the external file '{location}'; expected {bytes}.");
        }

        if (folder is null)
        {
            throw new OnnxFormatException($"{place} lies in the external file '{location}', but the model was not read from a folder.");
        }

        var path = Inside(location, folder, place);
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new OnnxFormatException($"{place} lies in the external file '{location}', which does not exist in '{folder}'.");
        }

        return offset + bytes <= file.Length ? (path, offset)
            : throw new OnnxFormatException($"{place} lies at bytes {offset} to {offset + bytes} of the external file '{location}', which has {file.Length}.");
    }

    /// <summary>Brings the values of every external tensor into the model itself, for writing it elsewhere.</summary>
    /// <exception cref="OnnxFormatException">A tensor is too large for that (2 GB), or its file is not what it should be.</exception>
    public static void Embed(ModelProto model, string folder)
    {
        foreach (var tensor in OnnxTensors.Of(model).Where(OnnxTensorSize.IsExternal))
        {
            var place = $"Tensor '{tensor.Name}'";
            OnnxTensorSize.Check(tensor, folder, place);
            var size = OnnxTensorSize.Bytes(OnnxTensor.Count(tensor), OnnxTensorSize.Bits((DataType)tensor.DataType, place));
            if (size > Array.MaxLength)
            {
                throw new OnnxFormatException($"{place} has {size} bytes; a model itself holds at most {Array.MaxLength}.");
            }

            var bytes = GC.AllocateUninitializedArray<byte>((int)size);
            using (var source = OnnxTensorBytes.Open(tensor, folder, place))
            {
                source.Read(0, bytes);
            }

            tensor.ExternalData.Clear();
            tensor.ClearDataLocation();
            tensor.RawData = UnsafeByteOperations.UnsafeWrap(bytes);
        }
    }

    /// <summary>
    /// The name with a hash of what the file will hold: a file of that name is never overwritten by another's values, whatever happens between the two files of
    /// a model.
    /// </summary>
    /// <param name="model">Stays as it is.</param>
    /// <param name="name">
    /// "w.bin" becomes "w.0123456789abcdef.bin", 16 digits of the SHA-256 of the file; the name before it is cut where it gets longer than file systems allow.
    /// </param>
    public static string NameByContent(ModelProto model, string name)
    {
        using var sha = SHA256.Create();
        using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            Write(model, stream);
        }

        var (stem, end) = (Path.GetFileNameWithoutExtension(name), $".{Convert.ToHexStringLower(sha.Hash.AsSpan(0, 8))}{Path.GetExtension(name)}");
        while (stem.Length > 0 && Encoding.UTF8.GetByteCount(stem + end) > LongestName)
        {
            stem = stem[..^(char.IsLowSurrogate(stem[^1]) ? 2 : 1)];
        }

        return stem + end;
    }

    /// <summary>Writes the raw data of every tensor of at least 1 KB.</summary>
    public static void Write(ModelProto model, Stream stream)
    {
        var position = 0L;
        foreach (var (tensor, offset) in Layout(model))
        {
            for (; position < offset; position++)
            {
                stream.WriteByte(0);
            }

            stream.Write(tensor.RawData.Span);
            position += tensor.RawData.Length;
        }
    }

    /// <summary>Replaces the raw data of every tensor of at least 1 KB by where <see cref="Write"/> puts it.</summary>
    /// <param name="model">Changed: pass a clone.</param>
    /// <param name="location">Name of the file.</param>
    public static void MoveOut(ModelProto model, string location)
    {
        foreach (var (tensor, offset) in Layout(model).ToList())
        {
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset.ToString(CultureInfo.InvariantCulture) });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = tensor.RawData.Length.ToString(CultureInfo.InvariantCulture) });
            tensor.DataLocation = TensorProto.Types.DataLocation.External;
            tensor.ClearRawData();
        }
    }

    private static IEnumerable<(TensorProto Tensor, long Offset)> Layout(ModelProto model)
    {
        var end = 0L;
        foreach (var tensor in OnnxTensors.Of(model).Where(tensor => tensor.RawData.Length >= SmallestExternal))
        {
            // The standard asks for pages, so that files can be mapped, and for the larger allocation unit of Windows;
            // the latter only where 64 KB do not weigh.
            var alignment = tensor.RawData.Length >= 1 << 20 ? 1 << 16 : 1 << 12;
            var offset = (end + alignment - 1) / alignment * alignment;
            end = offset + tensor.RawData.Length;
            yield return (tensor, offset);
        }
    }

    private static long? Number(Dictionary<string, string> entries, string key, string place) => !entries.TryGetValue(key, out var text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new OnnxFormatException($"{place} has the {key} '{text}' in its external file; expected a whole number of at least 0.");

    private static string Inside(string location, string folder, string place)
    {
        var parts = location.Split('/', '\\');
        if (location.Length == 0 || location.Contains('\0') || parts[0].Length == 0 || parts[0].Contains(':') || parts.Contains("..")
            || Path.IsPathRooted(location))
        {
            throw new OnnxFormatException($"{place} lies in the external file '{location.Replace('\0', '?')}'; expected a path below the model's folder.");
        }

        var root = Path.TrimEndingDirectorySeparator(Resolve(folder, location, place)) + Path.DirectorySeparatorChar;
        var path = Resolve(Path.Combine(folder, location), location, place);
        return path.StartsWith(root, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal) ? path
            : throw new OnnxFormatException($"{place} lies in the external file '{location}', which a link leads out of the model's folder '{folder}'.");
    }

    private static string Resolve(string path, string location, string place)
    {
        try
        {
            return LinkedPath.Resolve(path);
        }
        catch (IOException e)
        {
            throw new OnnxFormatException($"{place} lies in the external file '{location}': {e.Message}", e);
        }
    }
}
