using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning;

/// <summary>
/// Trains a neural network.
/// <list type="table">
/// <item><term>Task</term><description>multiclass classification, binary classification or regression</description></item>
/// <item><term>Features</term><description>a known-size vector of <see cref="float"/>; normalise it before</description></item>
/// <item><term>Label</term><description>a key, a <see cref="bool"/> or a <see cref="float"/></description></item>
/// <item><term>Weight</term><description>a <see cref="float"/>, or none</description></item>
/// <item><term>Device</term><description>CPU, or the GPU that <c>MLContext.GpuDeviceId</c> names</description></item>
/// </list>
/// </summary>
public sealed class NeuralNetworkTrainer : IEstimator<NeuralNetworkTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly LearningTask _task;
    private readonly NeuralNetworkOptions _options;
    private readonly int _seed;
    private readonly int? _splitSeed;

    /// <param name="environment">The environment.</param>
    /// <param name="task">What the outputs mean.</param>
    /// <param name="options">How to train.</param>
    /// <param name="splitSeed">Seed of the split into rows to train on and rows to measure on, where it is not the training's.</param>
    internal NeuralNetworkTrainer(IHostEnvironment environment, LearningTask task, NeuralNetworkOptions options, int? splitSeed = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        LossFunction.Resolve(options.Loss, task);
        Metric.Resolve(options.Metric, task);
        (_environment, _task, _options) = (environment, task, options);
        _splitSeed = splitSeed;
        _seed = options.Seed ?? environment.Register("MLNet.Pruning.NeuralNetwork").Rand.Next();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var host = _environment.Register("MLNet.Pruning.NeuralNetwork");
        using var channel = host.Start("Training");
        var (gpu, fallback) = CatalogEnvironment.Gpu(_environment);
        var device = TorchRuntime.Device(gpu, fallback, channel, _options.CancellationToken);
        var untrained = ScoreOutput.Fit(_options.Network!, _task);
        var inputs = NetworkInputs.Of(input.Schema, untrained, [_options.FeatureColumnName]);
        var splitSeed = _splitSeed ?? _seed;
        TrainingData Read(IDataView view, Network network, NetworkInputs inputs)
            => TrainingRows.Read(view, network, inputs, _task, _options.Rows(splitSeed, _options.CancellationToken));
        var data = Read(input, untrained, inputs);
        var network = untrained.Initialize(_seed);
        channel.Info(MessageSensitivity.None, "{0}", $"training {network.ParameterCount} parameters on {data.TrainingRows.Length} rows, measuring on "
            + $"{data.ValidationRows.Length}, seed {_seed}");
        var loop = new TrainingLoop(data, _options, _task, device, result => Report(channel, _options.Progress, result));
        var keys = _task.HasOutputPerClass ? LabelKeys.Of(input.Schema[_options.LabelColumnName]) : null;
        using var session = _options.Distillation?.Bind(new TeacherStep
        {
            View = input,
            Data = data,
            Inputs = inputs,
            Label = _options.LabelColumnName,
            Task = _task,
            Keys = keys,
            Device = device,
            BatchSize = _options.BatchSize,
            CancellationToken = _options.CancellationToken,
            Read = Read,
        }, Teacher.Columns());
        var trained = loop.Run(network, ImmutableDictionary<string, WeightMask>.Empty, _seed, _options.RewindEpoch ?? 0, session: session, isFresh: true);
        return new(new NetworkState
        {
            Network = trained.Network,
            Task = _task,
            Inputs = inputs,
            Label = _options.LabelColumnName,
            Keys = keys,
            // What rounds may fold batch normalisation: then what it was before is no network of this graph.
            Initial = ReferenceEquals(trained.Network.Graph, network.Graph) ? network : trained.Network,
            Early = trained.Snapshot,
            Steps = trained.Steps,
            // Later steps learn from the same teacher where it is a network that reads the same rows: what else stood before is out of their sight.
            Training = _options with { Distillation = session?.Shared is { } teacher ? _options.Distillation!.From(teacher) : null },
            SplitSeed = splitSeed,
        }, input.Schema, new TrainingReport(trained.History)
        {
            Validation = trained.Validation, Settings = StepSettings.Of(_options, _seed),
            Teacher = session?.Shared is { } taught ? Validation.Of(data, _task, _options).Measure(taught) : null,
        });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return OutputSchema(inputSchema, _task, _options);
    }

    /// <summary>The input's shape with the scores of a network that is trained on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    internal static SchemaShape OutputSchema(SchemaShape inputSchema, LearningTask task, NeuralNetworkOptions options)
    {
        Metric.Resolve(options.Metric, task);
        var features = Find(inputSchema, options.FeatureColumnName, "feature");
        if (features.Kind != SchemaShape.Column.VectorKind.Vector || features.ItemType != NumberDataViewType.Single)
        {
            throw NetworkInputs.Mismatch(features.Name, "feature", "a known-size Vector<Single>", Describe(features));
        }

        var label = Find(inputSchema, options.LabelColumnName, "label");
        if (TaskLabels.Of(label.IsKey, label.ItemType) != task || label.Kind != SchemaShape.Column.VectorKind.Scalar)
        {
            throw NetworkInputs.Mismatch(label.Name, "label", TaskLabels.Expected(task), Describe(label));
        }

        if (options.ExampleWeightColumnName is { } name && Find(inputSchema, name, "weight") is var weight
            && (weight.Kind != SchemaShape.Column.VectorKind.Scalar || weight.IsKey || weight.ItemType != NumberDataViewType.Single))
        {
            throw NetworkInputs.Mismatch(weight.Name, "weight", "Single", Describe(weight));
        }

        return SchemaShapes.WithScores(inputSchema, task, label.Annotations.FirstOrDefault(annotation => annotation.Name == "KeyValues").ItemType);
    }

    /// <summary>An epoch to the log and to the caller's progress.</summary>
    internal static void Report(IChannel channel, IProgress<EpochResult>? progress, EpochResult result)
    {
        channel.Info(MessageSensitivity.None, "{0}", result.ToString());
        progress?.Report(result);
    }

    private static string Describe(SchemaShape.Column column) => column.Kind == SchemaShape.Column.VectorKind.Scalar
        ? $"{(column.IsKey ? "Key of " : "")}{column.ItemType}" : $"{column.Kind} of {column.ItemType}";

    /// <summary>A column by name.</summary>
    internal static SchemaShape.Column Find(SchemaShape shape, string name, string role)
    {
        foreach (var column in shape)
        {
            if (column.Name == name)
            {
                return column;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(shape), name,
            $"Could not find the {role} column '{name}'. The data has: {string.Join(", ", shape.Select(column => column.Name))}.");
    }
}
