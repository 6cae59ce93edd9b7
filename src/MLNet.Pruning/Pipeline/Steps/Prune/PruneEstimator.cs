using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;

namespace MLNet.Pruning;

/// <summary>
/// Prunes the network of the step before, at once or step by step with fine-tuning between, and hands on another one. Amounts count
/// what earlier steps pruned: 0.9 after 0.5 leaves a tenth.
/// </summary>
public sealed class PruneEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly NetworkStep _step;
    private readonly PruningOptions _options;
    private readonly Distillation? _distillation;

    private PruneEstimator(PruneEstimator other, Distillation distillation) => (_step, _options, _distillation) = (other._step, other._options, distillation);

    internal PruneEstimator(IHostEnvironment environment, PruningOptions options, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _step = new(environment, "Prune", seed ?? options.FineTuning?.Seed);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step.</exception>
    /// <exception cref="PruningTargetException">More than the target is pruned already.</exception>
    /// <exception cref="ArgumentException">A layer's name does not exist, nothing in scope can be pruned, or the metric does not fit the task.</exception>
    /// <exception cref="MetricException">A tolerance, or early stopping, goes by a metric that the validation rows do not define.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        var state = _step.Require(input);
        using var channel = _step.Start();
        var device = _step.Device(channel, _options.CancellationToken);
        var data = NetworkStep.Read(input, state, _options.CancellationToken);
        var tuning = WithDistillation(_options.FineTuning ?? state.Training.ForLaterStep());
        var training = tuning.With(cancellation: _options.CancellationToken, metric: _options.Metric);
        if (_options.Tolerance?.Confidence is not null && training.EarlyStoppingPatience is not null
            && (_options.FineTuneEpochs ?? (_options.Schedule == Schedule.OneShot && _options.Training is null ? 0 : 1)) > 0)
        {
            throw new ArgumentException("Early stopping picks weights by the validation rows, which then prove nothing with confidence: give "
                + "PruningOptions.FineTuning without EarlyStoppingPatience, or a plain tolerance.", nameof(PruningOptions.Tolerance));
        }

        if (_options.Tolerance?.Confidence is not null && data.IsWeighted)
        {
            throw new ArgumentException($"A tolerance with confidence takes every validation row for one of equal weight, but column "
                + $"'{state.Training.ExampleWeightColumnName}' weighs them: give a plain tolerance.", nameof(PruningOptions.Tolerance));
        }

        var validation = Validation.Of(data, state.Task, training);
        var calibration = new CalibrationData(data, state.Task, validation.Loss, device, training.BatchSize, _step.Seed,
            _options.CancellationToken)
        {
            Measured = _options.Measured, Tell = text => channel.Info(MessageSensitivity.None, "{0}", text),
        };
        var start = RewindCheckpoints.Of(state);
        var (rounds, rewound) = (0, RewindCheckpoints.Name(_options.Rewind, state));
        using var session = NetworkStep.Teach(training, input, state with { Dense = state.Dense ?? state.Network }, data, device);
        TrainingResult FineTune(PrunedNetwork network, int epochs, SparseTrainingRun? moving)
            => new TrainingLoop(data, Tuned(training, epochs, tuning), state.Task, device,
            result => NeuralNetworkTrainer.Report(channel, training.Progress, result))
                .Run(network.Network, network.Masks, unchecked(_step.Seed + rounds++), 0, moving, session);
        void Report(PruningStep step)
        {
            channel.Info(MessageSensitivity.None, "{0}", step.ToString());
            _options.Progress?.Report(step);
        }

        var (pruned, report) = _options.Training is { } sparse
            ? new SparseTrainingLoop(sparse, _options, calibration, validation.Measure,
                (network, moving) => FineTune(network, _options.FineTuneEpochs ?? training.Epochs, moving), Report, validation).Run(start, rewound)
            : new PruningLoop(_options, validation.Measure, (network, epochs) => FineTune(network, epochs, null), Report, calibration, validation)
                .Run(start, rewound);
        foreach (var warning in report.Warnings)
        {
            channel.Warning(MessageSensitivity.None, "{0}", warning);
        }

        return new(RewindCheckpoints.Put(state, pruned), input.Schema, report with { Settings = StepSettings.Of(_options, _step.Seed) });
    }

    /// <summary>The same with the network as it was before as the teacher of its fine-tuning: self-distillation.</summary>
    /// <param name="distillation">What it learns from there, or from the teacher that this names; by default <see cref="Distillation.Response"/>.</param>
    public PruneEstimator WithTeacher(Distillation? distillation = null) => new(this, distillation ?? Distillation.Response());

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric, _options.FineTuning?.Metric);

    private TrainingOptions WithDistillation(TrainingOptions training) => _distillation is null ? training : training with { Distillation = _distillation };

    private TrainingOptions Tuned(TrainingOptions training, int epochs, TrainingOptions whole)
        => _options.Rewind == Rewind.LearningRate ? whole.Tail(epochs).With(cancellation: _options.CancellationToken, metric: _options.Metric)
            : training.With(epochs);
}
