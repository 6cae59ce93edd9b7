using System.Numerics;
using MLNet.Pruning.Files;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>
/// Masks in a file of UTF-8 JSON: <c>{"format": "MLNet.Pruning masks", "version": 1, "masks": [{"parameter": "fc1.weight", "shape": [300, 784],
/// "kept": 23520, "bits": "..."}]}</c>, where bits are base64 of one bit a value in row-major order, the lowest bit of a byte first, 1 for kept,
/// with zeros up to a whole byte; kept is how many are 1.
/// </summary>
internal static class MaskFile
{
    private const string Format = "MLNet.Pruning masks";
    private const int Version = 1;
    private const int BitsPerByte = 8;

    public static void Save(PrunedNetwork network, Stream stream)
    {
        var entries = network.Masks.OrderBy(mask => mask.Key, StringComparer.Ordinal)
            .Select(mask => new Entry(mask.Key, [.. network.Weights[mask.Key].Shape], mask.Value.Kept, Bits(mask.Value)));
        JsonSerializer.Serialize(stream, new Content(Format, Version, [.. entries]), JsonText.Options);
    }

    /// <exception cref="ModelFileException">The file is damaged or none of its kind.</exception>
    /// <exception cref="ArgumentException">The masks are of another network.</exception>
    public static PrunedNetwork Load(Network network, string path)
    {
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw new ModelFileException($"{path} cannot be loaded: it is {kind}; expected a regular file.");
        }

        using var stream = File.OpenRead(path);
        return Load(network, Read(stream, path), path);
    }

    /// <inheritdoc cref="Load(Network, string)"/>
    public static PrunedNetwork Load(Network network, Stream stream)
    {
        const string Name = "The stream";
        using var content = new MemoryStream(OpenStream.Read(stream)
            ?? throw new ModelFileException($"{Name} cannot be loaded: it has more than {Array.MaxLength} bytes."));
        return Load(network, Read(content, Name), Name);
    }

    private static PrunedNetwork Load(Network network, Content content, string path)
    {
        var masks = ImmutableDictionary.CreateBuilder<string, WeightMask>();
        foreach (var entry in content.Masks)
        {
            MaskTransfer.Check(network, entry.Parameter, entry.Shape, path);
            var mask = Mask(entry, network[entry.Parameter].Count);
            if (mask is null || !masks.TryAdd(entry.Parameter, mask))
            {
                throw new ModelFileException($"{path} cannot be loaded: the mask of parameter '{entry.Parameter}' "
                    + $"{(mask is null ? "does not hold the bits it was written with" : "occurs twice")}.");
            }
        }

        return new(network, masks.ToImmutable());
    }

    private static Content Read(Stream stream, string path)
    {
        try
        {
            var content = JsonSerializer.Deserialize<Content>(stream, JsonText.Options);
            return content is { Format: Format, Version: Version } && !content.Masks.Contains(null!) ? content
                : throw new ModelFileException($"{path} cannot be loaded: it is of format '{content?.Format}', version {content?.Version}; expected "
                    + $"'{Format}', version {Version}.");
        }
        catch (JsonException e)
        {
            throw new ModelFileException($"{path} cannot be loaded: it is not the JSON that SaveMasks writes: {e.Message}", e);
        }
    }

    private static byte[] Bits(WeightMask mask)
    {
        var bits = new byte[(mask.Count + BitsPerByte - 1) / BitsPerByte];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = (byte)(mask.Words[i / sizeof(ulong)] >> (i % sizeof(ulong) * BitsPerByte));
        }

        return bits;
    }

    /// <summary>Null where the bits are not those that were written.</summary>
    private static WeightMask? Mask(Entry entry, int count)
    {
        if (entry.Bits.Length != (count + BitsPerByte - 1) / BitsPerByte || entry.Bits.Sum(bits => BitOperations.PopCount(bits)) != entry.Kept
            || (count % BitsPerByte != 0 && entry.Bits[^1] >> (count % BitsPerByte) != 0))
        {
            return null;
        }

        var words = WeightMask.Words64(count);
        for (var i = 0; i < entry.Bits.Length; i++)
        {
            words[i / sizeof(ulong)] |= (ulong)entry.Bits[i] << (i % sizeof(ulong) * BitsPerByte);
        }

        return new(words, count);
    }

    private sealed record Content(string Format, int Version, Entry[] Masks);

    private sealed record Entry(string Parameter, int[] Shape, int Kept, byte[] Bits);
}
