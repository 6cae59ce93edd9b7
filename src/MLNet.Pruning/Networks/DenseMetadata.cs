using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks;

/// <summary>
/// What a network that lost structure says, in the metadata of its file, of the dense one that it came from: what amounts are shares of, however
/// often it is pruned, saved and read. Widths follow from <see cref="KeptMetadata"/>.
/// </summary>
/// <param name="Parameters">Trained values.</param>
/// <param name="MultiplyAdds">For one row; null where they depend on open sizes.</param>
/// <param name="Blocks">Once blocks went, all that there were, and whether each is residual.</param>
internal sealed partial record DenseMetadata(long Parameters, long? MultiplyAdds, SortedDictionary<string, bool>? Blocks)
{
    public const string Key = "MLNet.Pruning.dense";

    /// <summary>What the metadata say; of a network that never lost structure, what it has itself.</summary>
    /// <exception cref="OnnxFormatException">The metadata are damaged.</exception>
    public static DenseMetadata Of(Network network)
    {
        var now = new DenseMetadata(network.ParameterCount, network.Layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAdds).Number, null);
        // What was added to the file since belongs to the dense network as well.
        return Read(network.Graph.Metadata) is not { } dense ? now
            : new(Math.Max(dense.Parameters, now.Parameters), dense.MultiplyAdds is { } before && now.MultiplyAdds is { } left ? Math.Max(before, left)
                : now.MultiplyAdds, dense.Blocks);
    }

    /// <summary>What the metadata say; null where they say nothing.</summary>
    /// <exception cref="OnnxFormatException">They are damaged.</exception>
    public static DenseMetadata? Read(ImmutableSortedDictionary<string, string> metadata)
    {
        try
        {
            return metadata.TryGetValue(Key, out var text) ? JsonSerializer.Deserialize(text, DenseJson.Default.DenseMetadata) : null;
        }
        catch (JsonException e)
        {
            throw new OnnxFormatException($"The metadata '{Key}' is not what MLNet.Pruning writes: {e.Message}", e);
        }
    }

    public ImmutableSortedDictionary<string, string> AddTo(ImmutableSortedDictionary<string, string> metadata) => metadata.SetItem(Key, JsonText.Written(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("parameters", Parameters);
        if (MultiplyAdds is { } number)
        {
            json.WriteNumber("multiplyAdds", number);
        }
        else
        {
            json.WriteNull("multiplyAdds");
        }

        if (Blocks is null)
        {
            json.WriteNull("blocks");
        }
        else
        {
            json.WriteStartObject("blocks");
            foreach (var (name, isExact) in Blocks)
            {
                json.WriteBoolean(name, isExact);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }));

    [JsonSerializable(typeof(DenseMetadata))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    private sealed partial class DenseJson : JsonSerializerContext;
}
