using System.Text.Json.Serialization.Metadata;
using MLNet.Pruning.Files;

namespace MLNet.Pruning.Training;

/// <summary>
/// Options as JSON, in model files and as what tells one search from another: every property but those that belong to the process (a network, which
/// is kept beside, progress, cancellation), and every choice by its <see cref="Notation"/>. A new option, and a new kind of choice, is kept and told
/// apart without a word here.
/// </summary>
internal static class OptionsJson
{
    // By reflection: the source generator gives init properties that a file does not name the default of their type, not their own (dotnet/runtime,
    // issue 84484).
    public static JsonSerializerOptions Serializer { get; } = new(ModelArchive.Json)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(LeaveOutWhatIsOfTheProcess),
        Converters = { new NotationConverter<Metric>(Metric.OfFile), new NotationConverters() },
    };

    /// <summary>Every option with its value as text, options within options by both names: <c>FineTuning.BatchSize</c>.</summary>
    public static IEnumerable<(string Name, string Value)> Settings<T>(T options) => Settings("", JsonSerializer.SerializeToElement(options, Serializer));

    private static IEnumerable<(string Name, string Value)> Settings(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(option => Settings(name.Length == 0 ? option.Name : $"{name}.{option.Name}", option.Value)),
        JsonValueKind.Array => [(name, $"[{string.Join(", ", value.EnumerateArray().Select(item => item.ToString()))}]")],
        JsonValueKind.Null => [(name, "null")],
        _ => [(name, value.ToString())],
    };

    private static void LeaveOutWhatIsOfTheProcess(JsonTypeInfo type)
    {
        for (var i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (type.Properties[i].PropertyType is var property && (property == typeof(Network) || property == typeof(CancellationToken)
                || property.IsGenericType && property.GetGenericTypeDefinition() == typeof(IProgress<>)))
            {
                type.Properties.RemoveAt(i);
            }
        }
    }
}
