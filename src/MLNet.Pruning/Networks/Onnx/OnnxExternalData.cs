using System.Globalization;
using Google.Protobuf;
using MLNet.Pruning.Onnx;
using DataType = MLNet.Pruning.Onnx.TensorProto.Types.DataType;

namespace MLNet.Pruning;

/// <summary>Values of tensors in files beside the model, as the ONNX standard lays them down: location, offset, length.</summary>
internal static class OnnxExternalData
{
    // As many as Linux follows before it takes a chain of links for a loop.
    private const int MaximumLinks = 40;

    private const int SmallestExternal = 1024;

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

    /// <summary>Moves the raw data of every tensor of at least 1 KB out of the model and into one stream.</summary>
    /// <param name="model">Changed: pass a clone.</param>
    /// <param name="location">Name of the file that the stream becomes.</param>
    /// <param name="stream">Takes the values.</param>
    public static void MoveOut(ModelProto model, string location, Stream stream)
    {
        foreach (var tensor in OnnxTensors.Of(model).Where(tensor => tensor.RawData.Length >= SmallestExternal))
        {
            // The standard asks for pages, so that files can be mapped, and for the larger allocation unit of Windows;
            // the latter only where 64 KB do not weigh.
            var alignment = tensor.RawData.Length >= 1 << 20 ? 1 << 16 : 1 << 12;
            var offset = (stream.Position + alignment - 1) / alignment * alignment;
            while (stream.Position < offset)
            {
                stream.WriteByte(0);
            }

            stream.Write(tensor.RawData.Span);
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset.ToString(CultureInfo.InvariantCulture) });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = tensor.RawData.Length.ToString(CultureInfo.InvariantCulture) });
            tensor.DataLocation = TensorProto.Types.DataLocation.External;
            tensor.ClearRawData();
        }
    }

    private static long? Number(Dictionary<string, string> entries, string key, string place) => !entries.TryGetValue(key, out var text) ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new OnnxFormatException($"{place} has the {key} '{text}' in its external file; expected a whole number of at least 0.");

    private static string Inside(string location, string folder, string place)
    {
        var parts = location.Split('/', '\\');
        if (location.Length == 0 || location.Contains('\0') || parts[0].Length == 0 || parts[0].Contains(':') || parts.Contains("..") || Path.IsPathRooted(location))
        {
            throw new OnnxFormatException($"{place} lies in the external file '{location.Replace('\0', '?')}'; expected a path below the model's folder.");
        }

        var root = Path.TrimEndingDirectorySeparator(Resolve(folder, place)) + Path.DirectorySeparatorChar;
        var path = Resolve(Path.Combine(folder, location), place);
        return path.StartsWith(root, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal) ? path
            : throw new OnnxFormatException($"{place} lies in the external file '{location}', which a link leads out of the model's folder '{folder}'.");
    }

    /// <summary>The path without links: .NET follows those of the last component only.</summary>
    private static string Resolve(string path, string place)
    {
        var full = Path.GetFullPath(path);
        var resolved = Path.GetPathRoot(full)!;
        var rest = new Stack<string>(Components(full[resolved.Length..]));
        for (var links = 0; rest.TryPop(out var component);)
        {
            if (component == "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }

            var next = Path.Combine(resolved, component);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MaximumLinks)
            {
                throw new OnnxFormatException($"{place} lies in the external file '{path}', which leads through more than {MaximumLinks} links.");
            }

            var start = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
            resolved = start.Length > 0 ? start : resolved;
            foreach (var part in Components(target[start.Length..]))
            {
                rest.Push(part);
            }
        }

        return resolved;
    }

    /// <summary>The names in a path, last first.</summary>
    private static IEnumerable<string> Components(string path) =>
        path.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").Reverse();
}
