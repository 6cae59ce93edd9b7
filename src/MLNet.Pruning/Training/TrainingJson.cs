using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MLNet.Pruning.Files;
using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Training;

/// <summary>
/// Training options as JSON, in model files and in the fingerprints of searches: every property but those that belong to the process (a network, which
/// is kept beside, progress, cancellation). A new option is kept and told apart without a word here; a new kind of choice needs its converter.
/// </summary>
internal static class TrainingJson
{
    private static readonly JsonSerializerOptions s_options = new(ModelArchive.Json)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(LeaveOutWhatIsOfTheProcess),
        Converters =
        {
            new NotationConverter<Optimizer>(), new NotationConverter<LearningRateSchedule>(), new NotationConverter<Regularization>(),
            new NotationConverter<Distillation>(), new NotationConverter<Augmentation>(), new NotationConverter<Metric>(Metric.OfFile),
        },
    };

    /// <summary>What a file keeps of how a network was trained.</summary>
    public static JsonElement Write(NeuralNetworkOptions options)
        // A teacher that is no network cannot be asked again by later steps.
        => JsonSerializer.SerializeToElement(options.Distillation?.Teacher is { Network: null } ? options with { Distillation = null } : options, s_options);

    /// <summary>The options that a file keeps.</summary>
    /// <exception cref="JsonException">They are none.</exception>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    public static NeuralNetworkOptions Read(JsonElement json)
        => (json.TryGetProperty("Schedule", out _) ? FormerTraining.Upgrade(json) : json).Deserialize<NeuralNetworkOptions>(s_options) ?? throw new JsonException("There are no training options.");

    /// <summary>All that changes what a training of so many epochs gives, as text.</summary>
    public static string Fingerprint(TrainingOptions options)
        => JsonSerializer.Serialize(options with { Epochs = 1, Seed = null }, typeof(TrainingOptions), s_options) + (options.Distillation?.Teacher is { } teacher ? $", teacher {teacher}" : "");

    private static void LeaveOutWhatIsOfTheProcess(JsonTypeInfo type)
    {
        for (var i = type.Properties.Count - 1; i >= 0 && type.Type.IsAssignableTo(typeof(TrainingOptions)); i--)
        {
            if (type.Properties[i].PropertyType is var property && (property == typeof(Network) || property == typeof(CancellationToken) || property == typeof(IProgress<EpochResult>)))
            {
                type.Properties.RemoveAt(i);
            }
        }
    }
}
