using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Data;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Runtimes;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>A network of a chain as entries of a model file: its state as JSON, its weights now, before training and early on as ONNX.</summary>
internal static class ArchivedNetwork
{
    public static void Write(ModelArchive archive, string name, NeuralNetworkTransformer transformer)
    {
        var state = transformer.State;
        archive.AddJson(name + "state.json", new State(
            state.Task,
            [.. state.Inputs.Columns.Select(column => ArchivedColumn.Of(column.Name, column.Type))],
            state.Inputs.Layout,
            state.Label,
            ArchivedKeys.Of(state.Keys),
            state.SplitSeed,
            [.. state.Masks.OrderBy(mask => mask.Key, StringComparer.Ordinal)
                .Select(mask => new Mask(mask.Key, mask.Value.Count, MemoryMarshal.AsBytes(mask.Value.Words).ToArray()))],
            TrainingJson.Write(state.Training),
            (transformer.Report as TrainingReport)?.Epochs,
            transformer.Report as PruningReport,
            transformer.Report as AutoPruneReport,
            transformer.Report as QuantizationReport,
            transformer.Report as FactorizationReport,
            (transformer.Report as TrainingReport)?.Settings,
            (transformer.Report as TrainingReport)?.Validation,
            (transformer.Report as TrainingReport)?.Teacher,
            transformer.Runtime));
        if (transformer.Report is PruningReport { Record: { } record })
        {
            CandidateRecordFile.Write(archive, name + "pieces", record);
        }

        ArchivedNetworks.Write(archive, name + "network", state.Network);
        if (state.Initial != state.Network)
        {
            ArchivedNetworks.Write(archive, name + "initial", state.Initial);
        }

        if (state.Early is { } early)
        {
            ArchivedNetworks.Write(archive, name + "early", early);
        }

        if (state.Dense is { } dense)
        {
            ArchivedNetworks.Write(archive, name + "dense", dense);
        }

        if (state.Steps is QuantizationPlan steps && ReferenceEquals(steps.Network, state.Network))
        {
            ArchivedSteps.Write(archive, name + "steps.json", steps);
        }

        if (state.Training.Distillation?.Teacher?.Network is { } teacher)
        {
            ArchivedNetworks.Write(archive, name + "teacher", teacher);
        }
    }

    public static NeuralNetworkTransformer Read(ModelArchive archive, ArchivedNetworks networks, string name, DataViewSchema inputSchema)
    {
        // What scores rows is read now, and what steps that go on from here or people ask for when they do: most processes only score.
        var state = new Lazy<State>(() => archive.ReadJson<State>(name + "state.json"));
        return archive.ReadJson(name + "state.json", json =>
        {
            var network = networks.Find(name + "network") ?? throw archive.Damaged($"entry '{name}network.onnx' is missing");
            var scored = new ScoredNetwork
            {
                Network = network,
                Task = Task(json[nameof(State.Task)].Text()),
                Inputs = new()
                {
                    Columns = [.. json[nameof(State.Columns)].Items().Select(ArchivedColumn.Read)],
                    Layout = Layout(json[nameof(State.Layout)].Text()),
                },
                Keys = json.Optional(nameof(State.Keys)) is { } keys ? ArchivedKeys.Read(keys) : null,
            };
            return new NeuralNetworkTransformer(scored, new(() => Rest(archive, networks, name, scored, state.Value)), inputSchema,
                new(() => archive.Read(name + "state.json", _ => Report(archive, name, state.Value))), Plan(network, json, state));
        });
    }

    private static NetworkState Rest(ModelArchive archive, ArchivedNetworks networks, string name, ScoredNetwork scored, State state)
        => archive.Read(name + "state.json", _ =>
        {
            var network = scored.Network;
            var initial = networks.Find(name + "initial") is { } first ? network.Shared(first) : network;
            return new NetworkState
            {
                Network = network,
                Task = scored.Task,
                Inputs = scored.Inputs,
                Label = state.Label,
                Keys = scored.Keys,
                Masks = state.Masks.ToImmutableDictionary(mask => mask.Parameter, mask => ToMask(mask, network)),
                Initial = initial,
                Early = networks.Find(name + "early") is { } early ? network.Shared(early) : null,
                Dense = networks.Find(name + "dense"),
                Steps = archive.Has(name + "steps.json") ? ArchivedSteps.Read(archive, name + "steps.json", network) : null,
                Training = Training(state, initial, networks.Find(name + "teacher")),
                SplitSeed = state.SplitSeed,
            };
        });

    /// <summary>How it scores. Most files keep that nothing was timed, which says no more than a network without a plan.</summary>
    private static ScoringPlan? Plan(Network network, JsonPart json, Lazy<State> state)
        => json.Optional(nameof(State.Runtime)) is { } runtime && (runtime.Optional(nameof(RuntimeReport.Machine)) is not null
            || runtime[nameof(RuntimeReport.Requested)].Text() != nameof(ScoringRuntime.Auto)) ? ScoringPlan.Kept(network, state.Value.Runtime!) : null;

    /// <summary>The report; files from before there was one for a training have no epochs where nothing was trained.</summary>
    private static StepReport? Report(ModelArchive archive, string name, State state)
        => state.AutoPruning as StepReport ?? state.Quantization as StepReport ?? state.Factorization as StepReport ?? (archive.Has(name + "pieces.json")
            ? state.Pruning! with { Record = CandidateRecordFile.Read(archive, name + "pieces") } : state.Pruning)
            ?? (state.History is { Count: > 0 } epochs ? new TrainingReport(epochs)
            {
                Validation = state.Validation ?? epochs[^1].Validation, Settings = state.Settings ?? ImmutableSortedDictionary<string, string>.Empty,
                Teacher = state.Teacher,
            } : null as StepReport);

    private static NeuralNetworkOptions Training(State state, Network initial, Network? teacher)
    {
        var options = TrainingJson.Read(state.Training);
        options = options with
        {
            Network = initial,
            FeatureColumnName = state.Columns[0].Name,
            LabelColumnName = state.Label,
            Distillation = teacher is null ? options.Distillation : options.Distillation?.From(teacher),
        };
        options.Validate();
        return options;
    }

    private static WeightMask ToMask(Mask mask, Network network)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(mask.Kept).ToArray();
        var parameter = network[mask.Parameter];
        return mask.Count == parameter.Count && words.Length == WeightMask.Words64(mask.Count).Length ? new WeightMask(words, mask.Count)
            : throw new ArgumentException($"the mask of '{mask.Parameter}' has {mask.Count} entries, the parameter {parameter.Count} values");
    }

    private static LearningTask Task(string name)
        => LearningTask.All.FirstOrDefault(task => task.Name == name) ?? throw new JsonException($"there is no task '{name}'");

    private static ImageLayout Layout(string name) => name switch
    {
        nameof(ImageLayout.ChannelsFirst) => ImageLayout.ChannelsFirst,
        nameof(ImageLayout.ChannelsLast) => ImageLayout.ChannelsLast,
        _ => throw new JsonException($"there is no layout '{name}'"),
    };

    private sealed record State(LearningTask Task, List<ArchivedColumn> Columns, ImageLayout Layout, string Label, ArchivedKeys? Keys, int SplitSeed,
        List<Mask> Masks, JsonElement Training, IReadOnlyList<EpochResult>? History, PruningReport? Pruning, AutoPruneReport? AutoPruning = null,
        QuantizationReport? Quantization = null, FactorizationReport? Factorization = null, IReadOnlyDictionary<string, string>? Settings = null,
        ValidationResult? Validation = null,
        ValidationResult? Teacher = null, RuntimeReport? Runtime = null);

    private sealed record Mask(string Parameter, int Count, byte[] Kept);
}
