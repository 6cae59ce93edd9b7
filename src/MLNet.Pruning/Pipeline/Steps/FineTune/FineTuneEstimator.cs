using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning;

/// <summary>
/// Trains the network of the step before further, on the rows it was trained on. Weights that were pruned stay exactly zero.
/// </summary>
public sealed class FineTuneEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly NetworkStep _step;
    private readonly TrainingOptions? _options;
    private readonly int _epochs;
    private readonly double? _learningRate;

    internal FineTuneEstimator(IHostEnvironment environment, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_options, _epochs) = (options, options.Epochs);
        _step = new(environment, "FineTune", options.Seed);
    }

    internal FineTuneEstimator(IHostEnvironment environment, int epochs, double? learningRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        (_epochs, _learningRate) = (epochs, learningRate);
        new TrainingOptions { Epochs = epochs, LearningRate = learningRate ?? 1 }.Validate();
        _step = new(environment, "FineTune", null);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        var state = _step.Require(input);
        using var channel = _step.Start();
        var options = _options ?? state.Training.ForLaterStep().With(_epochs, _learningRate);
        var device = _step.Device(channel, options.CancellationToken);
        var data = NetworkStep.Read(input, state, options.CancellationToken);
        var loop = new TrainingLoop(data, options, state.Task, device, result => NeuralNetworkTrainer.Report(channel, options.Progress, result));
        using var session = NetworkStep.Teach(options, input, state, data, device);
        var trained = loop.Run(state.Network, state.Masks, _step.Seed, session: session);
        // What rounds may fold batch normalisation: then what it was before is no network of this graph.
        var next = ReferenceEquals(trained.Network.Graph, state.Network.Graph) ? state : state with { Initial = trained.Network, Early = null };
        return new(next with { Network = trained.Network, Steps = trained.Steps }, input.Schema,
            new TrainingReport(trained.History) { Validation = trained.Validation, Settings = StepSettings.Of(options, _step.Seed) });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options?.Metric);
}
