using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;
using static TorchSharp.torch;

namespace MLNet.Pruning.Pipeline.Steps;

/// <summary>
/// What the steps after the trainer share: they find the network in the Score column of their input, read the rows it was trained on
/// with the same split, and hand on another network.
/// </summary>
internal sealed class NetworkStep
{
    private readonly IHostEnvironment _environment;
    private readonly string _name;

    public NetworkStep(IHostEnvironment environment, string name, int? seed)
    {
        (_environment, _name) = (environment, name);
        Seed = seed ?? environment.Register(HostName).Rand.Next();
    }

    public int Seed { get; }

    private string HostName => $"MLNet.Pruning.{_name}";

    public NetworkState Require(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return NetworkState.Require(input.Schema, _name);
    }

    /// <param name="inputSchema">What comes before.</param>
    /// <param name="metrics">Metrics that the step was given.</param>
    /// <exception cref="ArgumentException">A metric does not fit the task.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema, params ReadOnlySpan<Metric?> metrics)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var score = inputSchema.FirstOrDefault(column => column.Name == ScoreColumns.Score);
        if (score.Name is null || !NetworkAnnotation.IsIn(score))
        {
            throw NetworkAnnotation.Missing(_name, score.Name is not null);
        }

        var (task, keyItemType) = SchemaShapes.Scored(inputSchema);
        foreach (var metric in metrics)
        {
            Metric.Resolve(metric, task);
        }

        return SchemaShapes.WithScores(inputSchema, task, keyItemType);
    }

    public IChannel Start() => _environment.Register(HostName).Start(_name);

    public Device Device(IChannel channel, CancellationToken cancellation)
    {
        var (gpu, fallback) = CatalogEnvironment.Gpu(_environment);
        return TorchRuntime.Device(gpu, fallback, channel, cancellation);
    }

    /// <summary>What a step works on that measures networks and looks at rows.</summary>
    public MeasuredRows Measure(IDataView input, IChannel channel, Metric? metric, CancellationToken cancellation)
    {
        var state = Require(input);
        var device = Device(channel, cancellation);
        var data = Read(input, state, cancellation);
        var validation = Validation.Of(data, state.Task, state.Training.With(cancellation: cancellation, metric: metric));
        return new(state, device, data, validation,
            () => new(data, state.Task, validation.Loss, device, validation.BatchSize, Seed, cancellation)
            {
                Tell = text => channel.Info(MessageSensitivity.None, "{0}", text),
            });
    }

    /// <summary>The teacher that a step's training names, or the network before it was pruned; null where it names no distillation.</summary>
    public static DistillationSession? Teach(TrainingOptions training, IDataView input, NetworkState state, TrainingData data, Device device)
        => training.Distillation?.Bind(new TeacherStep
    {
        View = input,
        Data = data,
        Inputs = state.Inputs,
        Label = state.Label,
        Task = state.Task,
        Keys = state.Keys,
        Device = device,
        BatchSize = training.BatchSize,
        CancellationToken = training.CancellationToken,
        Read = (view, network, inputs) => TrainingRows.Read(view, network, inputs, state.Task,
            state.Training.Rows(state.SplitSeed, state.Training.CancellationToken)),
    }, state.Dense is { } dense ? new NetworkTeacher(dense, null) : null);

    public static TrainingData Read(IDataView input, NetworkState state, CancellationToken cancellation)
        => TrainingRows.Read(input, state.Network, state.Inputs, state.Task, state.Training.Rows(state.SplitSeed, cancellation));
}
