using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Pipeline.Steps.AutoPrune;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning;

/// <summary>
/// Prunes the network of the step before to a budget: looks for the sparsity of each layer, measures candidates on the validation rows, fine-tunes the best and
/// hands it on. What was tried and chosen is in <see cref="NeuralNetworkTransformer.Report"/>.
/// </summary>
public sealed class AutoPruneEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly NetworkStep _step;
    private readonly AutoPruneOptions _options;

    internal AutoPruneEstimator(IHostEnvironment environment, AutoPruneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _step = new(environment, "AutoPrune", options.Seed ?? options.FineTuning?.Seed);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step, or it was trained without validation rows.</exception>
    /// <exception cref="UnreachableBudgetException">No network that the options allow meets the budget.</exception>
    /// <exception cref="SearchStateException">The state file is damaged, or of another search.</exception>
    /// <exception cref="ArgumentException">A layer's name does not exist, nothing in scope can be pruned, or the metric does not fit the task.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        var state = _step.Require(input);
        using var channel = _step.Start();
        var device = _step.Device(channel, _options.CancellationToken);
        var data = NetworkStep.Read(input, state, _options.CancellationToken);
        var training = _options.Training(state.Training.ForLaterStep());
        var validation = Validation.Of(data, state.Task, training);
        using var session = NetworkStep.Teach(training, input, state with { Dense = state.Dense ?? state.Network }, data, device);
        var start = RewindCheckpoints.Of(state);
        var calibration = new CalibrationData(data, state.Task, validation.Loss, device, training.BatchSize, _step.Seed,
            _options.CancellationToken) { Measured = _options.Selection.Measured };
        var space = new RatioSpace(start, _options.Selection, _options.Sparsities, calibration);
        var loop = new AutoPruneLoop(_options, space, state.Dense ?? state.Network,
            network => validation.Measure(network)
                ?? throw new InvalidOperationException("AutoPrune needs validation rows to measure candidates on: train with a ValidationFraction above 0."),
            (network, epochs) => network.WithWeights(new TrainingLoop(data, training.With(epochs), state.Task, device, _ => { })
                .Run(network.Network, network.Masks, _step.Seed, session: session).Network),
            _options.Settings(training, training.Distillation is { } distillation ? distillation.Teacher ?? state.Dense ?? state.Network : null, _step.Seed)
                .Concat(state.Training.ExampleWeightColumnName is { } weight ? [(nameof(NeuralNetworkOptions.ExampleWeightColumnName), weight)] : []),
            _step.Seed,
            trial =>
            {
                channel.Info(MessageSensitivity.None, "{0}", trial.ToString());
                _options.Progress?.Report(trial);
            });
        var (pruned, report) = loop.Run();
        return new(RewindCheckpoints.Put(state, pruned), input.Schema, report with { Settings = StepSettings.Of(_options, _step.Seed) });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric, _options.FineTuning?.Metric);
}
