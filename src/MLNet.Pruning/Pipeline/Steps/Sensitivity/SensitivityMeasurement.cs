using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Sensitivity;

/// <summary>Measures a network with one layer pruned at a time.</summary>
internal static class SensitivityMeasurement
{
    /// <param name="state">The network and how it was trained.</param>
    /// <param name="data">Its rows, split as for its training.</param>
    /// <param name="options">Validated options.</param>
    /// <exception cref="InvalidOperationException">There are no validation rows.</exception>
    public static SensitivityReport Run(NetworkState state, TrainingData data, SensitivityOptions options)
    {
        TorchRuntime.Require(options.CancellationToken);
        var validation = Validation.Of(data, state.Task, state.Training.With(metric: options.Metric)) with { Cancellation = options.CancellationToken };
        validation = validation with { BatchSize = options.BatchSize ?? validation.BatchSize };
        ValidationResult Measure(Network network) => validation.Measure(network)
            ?? throw new InvalidOperationException("Sensitivity is measured on validation rows, and the network was trained without: train with a "
                + "ValidationFraction above 0.");

        var before = Measure(state.Network);
        var start = new PrunedNetwork(state.Network, state.Masks);
        var calibration = new CalibrationData(data, state.Task, validation.Loss, TorchSharp.torch.CPU, validation.BatchSize, options.Seed ?? state.SplitSeed,
            options.CancellationToken)
        {
            Measured = options.Selection.Measured,
        };
        var space = new RatioSpace(start, options.Selection, options.Sparsities, calibration);
        var layers = new List<LayerSensitivity>();
        for (var l = 0; l < space.Layers.Count; l++)
        {
            var layer = space.Layers[l];
            var points = new List<SensitivityPoint> { new(layer.Sparsity(0), layer.Sparsity(0), before) };
            for (var level = 1; level <= layer.Last; level++)
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                var levels = new int[space.Layers.Count];
                levels[l] = level;
                var sparsity = layer.Sparsity(level);
                points.Add(new(options.Sparsities.MinBy(asked => Math.Abs(asked - sparsity)), sparsity, Measure(space.Prune(levels).Network)));
            }

            layers.Add(new(layer.Layer, layer.Parameter, layer.Total, points));
            options.Progress?.Report(layers[^1]);
        }

        return new(before, options.Granularity.ToString(), options.Importance.ToString()!, layers);
    }
}
