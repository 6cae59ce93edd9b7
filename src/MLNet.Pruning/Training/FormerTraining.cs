using System.Text.Json.Nodes;

namespace MLNet.Pruning.Training;

/// <summary>Training options as model files of version 0.1 kept them before options were records: a kind and numbers for every choice.</summary>
internal static class FormerTraining
{
    private static readonly Dictionary<string, string> s_terms = new()
    {
        ["SoftLabels"] = nameof(Distillation.Response),
        ["LogitDifference"] = nameof(Distillation.Logits),
        ["FeatureDifference"] = nameof(Distillation.Features),
        ["AttentionDifference"] = nameof(Distillation.Attention),
        ["SampleRelations"] = nameof(Distillation.Relations),
        ["SampleSimilarity"] = nameof(Distillation.Similarity),
    };

    /// <summary>The same options as they are kept now.</summary>
    public static JsonElement Upgrade(JsonElement former)
    {
        var json = JsonObject.Create(former)!;
        json["LearningRateSchedule"] = Schedule(json["Schedule"]!, (double?)json["WarmupEpochs"] ?? 0);
        json["Optimizer"] = Call((string)json["Optimizer"]!["Kind"]!, Numbers(json["Optimizer"]!["Arguments"]));
        json["Regularization"] = json["Penalties"] is JsonArray { Count: > 0 } penalties ? string.Join(" + ", penalties.Select(term => Penalty(term!))) : null;
        json["TargetedDropout"] = json["Dropout"]?["Arguments"] is JsonArray { Count: 2 } dropout
            ? new JsonObject { ["Targeted"] = (double?)dropout[0], ["Rate"] = (double?)dropout[1] } : null;
        json["Distillation"] = json["Teaching"] is { } teaching ? Teaching(teaching) : null;
        json["Augmentation"] = json["Augmentation"] is JsonArray shift ? Call(nameof(Augmentation.Shift), Numbers(shift)) : null;
        foreach (var name in new[] { "Schedule", "WarmupEpochs", "Penalties", "Dropout", "Teaching" })
        {
            json.Remove(name);
        }

        return JsonSerializer.SerializeToElement(json);
    }

    private static string Teaching(JsonNode teaching)
    {
        var terms = teaching["Terms"]!.AsArray().Select(term =>
        {
            var kind = s_terms.GetValueOrDefault((string)term!["Kind"]!, (string)term["Kind"]!);
            var pair = term["Names"] is JsonArray { Count: 2 } names ? $"({names[0]!.ToJsonString()}, {names[1]!.ToJsonString()})" : "null";
            var numbers = Numbers(term["Numbers"]);
            return kind switch
            {
                nameof(Distillation.Features) or nameof(Distillation.Attention) => Call(kind, [$"[{pair}]", .. numbers]),
                nameof(Distillation.Relations) => Call(kind, [.. numbers, pair]),
                nameof(Distillation.Similarity) => Call(kind, [pair, .. numbers]),
                _ => Call(kind, numbers),
            };
        });
        var (temperature, weight) = (teaching["Temperature"]!, teaching["Weight"]!);
        return $"({string.Join(" + ", terms)}).{nameof(Distillation.Scheduled)}({Schedule(temperature, (double?)temperature["WarmupEpochs"] ?? 0)}, "
            + $"{Schedule(weight, (double?)weight["WarmupEpochs"] ?? 0)}).{nameof(Distillation.WithMemoryLimit)}({(long)teaching["MemoryLimit"]!})";
    }

    private static string Penalty(JsonNode term) => ((string)term["Kind"]!).Split(": ") is [var kind, var granularity]
        ? Call(kind, [.. Numbers(term["Arguments"]), Granularity(granularity)]) : Call((string)term["Kind"]!, Numbers(term["Arguments"]));

    /// <summary>The call for a granularity's name: "hidden unit", "slice 1", "2x4 weight block".</summary>
    public static string Granularity(string name) => name.Split(' ') switch
    {
        ["slice", var dimension] => Call(nameof(Pruning.Granularity.Slice), [dimension]),
        [var size, "weight", "block"] when size.Split('x') is [var rows, var columns] => Call(nameof(Pruning.Granularity.WeightBlock), [rows, columns]),
        var words => string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..])),
    };

    private static string Schedule(JsonNode schedule, double warmup)
        => Call((string)schedule["Kind"]!, Numbers(schedule["Arguments"]))
            + (warmup > 0 ? $".{nameof(LearningRateSchedule.WithWarmup)}({warmup.ToString("r", CultureInfo.InvariantCulture)})" : "");

    private static string[] Numbers(JsonNode? numbers) => [.. numbers?.AsArray().Select(number => number!.ToJsonString()) ?? []];

    private static string Call(string name, string[] arguments) => arguments.Length == 0 ? name : $"{name}({string.Join(", ", arguments)})";
}
