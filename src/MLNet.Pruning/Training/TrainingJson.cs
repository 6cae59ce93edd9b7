namespace MLNet.Pruning.Training;

/// <summary>How a network was trained as <see cref="OptionsJson">JSON</see> in a model file.</summary>
internal static class TrainingJson
{
    /// <summary>What a file keeps of how a network was trained.</summary>
    public static JsonElement Write(NeuralNetworkOptions options)
        // A teacher that is no network cannot be asked again by later steps.
        => JsonSerializer.SerializeToElement(options.Distillation?.Teacher is { Network: null } ? options with { Distillation = null } : options,
            OptionsJson.Serializer);

    /// <summary>The options that a file keeps.</summary>
    /// <exception cref="JsonException">They are none.</exception>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    public static NeuralNetworkOptions Read(JsonElement json)
        => (json.TryGetProperty("Schedule", out _) ? FormerTraining.Upgrade(json) : json).Deserialize<NeuralNetworkOptions>(OptionsJson.Serializer)
            ?? throw new JsonException("There are no training options.");
}
