using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks;

/// <summary>
/// What a network that lost structure says of the one it came from, in the metadata of its file: the original shape of every parameter that
/// was cut and the indices that stayed, so that anyone can build the masked original and compare.
/// </summary>
internal static partial class KeptMetadata
{
    public const string Key = "MLNet.Pruning.kept";

    /// <summary>Adds a removal to those before it.</summary>
    public static ImmutableSortedDictionary<string, string> Compose(ImmutableSortedDictionary<string, string> metadata, Network network,
        ImmutableDictionary<string, IReadOnlyDictionary<int, int[]>> kept, HashSet<string> unmasked)
    {
        var all = Read(metadata).ToDictionary();
        foreach (var (name, dimensions) in kept)
        {
            var before = all.GetValueOrDefault(name) ?? new Removal([.. network[name].Shape], [], !unmasked.Contains(name));
            var after = before.Kept.ToDictionary();
            foreach (var (dimension, indices) in dimensions)
            {
                after[dimension] = IndexRanges.Format(after.TryGetValue(dimension, out var earlier)
                    ? [.. IndexRanges.Parse(earlier) is var old ? indices.Select(i => old[i]) : []] : indices);
            }

            all[name] = before with { Kept = after };
        }

        return Write(all, metadata.ContainsKey(DenseMetadata.Key) ? metadata : DenseMetadata.Of(network).AddTo(metadata));
    }

    /// <summary>The same of a network whose matrices of these names are read the other way round.</summary>
    public static ImmutableSortedDictionary<string, string> Transpose(ImmutableSortedDictionary<string, string> metadata, IEnumerable<string> matrices)
    {
        var all = Read(metadata).ToDictionary();
        foreach (var name in matrices.Where(all.ContainsKey))
        {
            all[name] = all[name] with { Shape = [.. all[name].Shape.Reverse()], Kept = all[name].Kept.ToDictionary(kept => 1 - kept.Key, kept => kept.Value) };
        }

        return Write(all, metadata);
    }

    /// <summary>The removals by parameter; none where nothing was removed.</summary>
    /// <exception cref="OnnxFormatException">The metadata is damaged.</exception>
    public static IReadOnlyDictionary<string, Removal> Read(ImmutableSortedDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue(Key, out var text))
        {
            return ImmutableDictionary<string, Removal>.Empty;
        }

        try
        {
            return JsonSerializer.Deserialize(text, Json.Default.SortedDictionaryStringRemoval) ?? [];
        }
        catch (JsonException e)
        {
            throw new OnnxFormatException($"The metadata '{Key}' is not what MLNet.Pruning writes: {e.Message}", e);
        }
    }

    /// <summary>Refuses metadata that do not fit the network's parameters; those of parameters that it does not have say nothing of it.</summary>
    /// <exception cref="OnnxFormatException">They do not.</exception>
    public static void Check(Network network)
    {
        _ = DenseMetadata.Read(network.Graph.Metadata);
        foreach (var (name, removal) in Read(network.Graph.Metadata))
        {
            if (removal is not { Shape: { } shape, Kept: { } kept } || shape.Any(size => size < 0))
            {
                throw new OnnxFormatException($"The metadata '{Key}' do not say what shape '{name}' had and what stayed of it.");
            }

            var known = network.TryGetParameter(name, out var parameter);
            if (known && parameter.Shape.Length != shape.Length)
            {
                throw new OnnxFormatException($"The metadata '{Key}' say that '{name}' had the shape {TensorInfo.Dimensions(shape)}; it has "
                    + $"{TensorInfo.Dimensions(parameter.Shape)}.");
            }

            foreach (var (dimension, text) in kept)
            {
                CheckStayed(name, shape, dimension, text);
            }

            for (var d = 0; known && d < shape.Length; d++)
            {
                var stayed = kept.TryGetValue(d, out var text) ? IndexRanges.Measure(text).Count : shape[d];
                if (stayed != parameter.Shape[d])
                {
                    throw new OnnxFormatException($"The metadata '{Key}' say that {stayed} indices of dimension {d} of '{name}' stayed; it has "
                        + $"{parameter.Shape[d]}.");
                }
            }
        }
    }

    // Not by the serializer, whose code for these types would be compiled at the first pruning of a process.
    private static ImmutableSortedDictionary<string, string> Write(Dictionary<string, Removal> all, ImmutableSortedDictionary<string, string> metadata)
        => all.Count == 0 ? metadata : metadata.SetItem(Key, JsonText.Written(json =>
        {
            json.WriteStartObject();
            foreach (var (name, removal) in all.OrderBy(removal => removal.Key, StringComparer.Ordinal))
            {
                json.WriteStartObject(name);
                json.WriteStartArray("shape");
                foreach (var size in removal.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartObject("kept");
                foreach (var (dimension, indices) in removal.Kept)
                {
                    json.WriteString(dimension.ToString(CultureInfo.InvariantCulture), indices);
                }

                json.WriteEndObject();
                json.WriteBoolean("masked", removal.Masked);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }));

    private static void CheckStayed(string name, int[] shape, int dimension, string? text)
    {
        try
        {
            if (text is null || dimension < 0 || dimension >= shape.Length || IndexRanges.Measure(text).Last >= shape[dimension])
            {
                throw new FormatException("they are not of its original shape");
            }
        }
        catch (FormatException e)
        {
            throw new OnnxFormatException($"The metadata '{Key}' say that the indices '{text}' of dimension {dimension} of '{name}' "
                + $"({TensorInfo.Dimensions(shape)}) stayed: {e.Message}", e);
        }
    }

    /// <summary>What was removed from a parameter.</summary>
    /// <param name="Shape">Its original shape.</param>
    /// <param name="Kept">Original indices that stayed, by dimension, as "0-5,7".</param>
    /// <param name="Masked">Whether the masked original holds zeros at the others; running statistics and divisors keep their values.</param>
    internal sealed record Removal(int[] Shape, Dictionary<int, string> Kept, bool Masked);

    [JsonSerializable(typeof(SortedDictionary<string, Removal>))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    private sealed partial class Json : JsonSerializerContext;
}
