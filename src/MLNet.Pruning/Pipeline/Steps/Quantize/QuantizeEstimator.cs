using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Training;
using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>Rounds the network of the step before to integers or shorter floats, and hands on the quantised network.</summary>
public sealed class QuantizeEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly NetworkStep _step;
    private readonly QuantizationOptions _options;
    private readonly Distillation? _distillation;

    private QuantizeEstimator(QuantizeEstimator other, Distillation distillation)
        => (_step, _options, _distillation) = (other._step, other._options, distillation);

    internal QuantizeEstimator(IHostEnvironment environment, QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _step = new(environment, "Quantize", options.Seed);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step, or the rows make values that are not finite.</exception>
    /// <exception cref="UnreachableBudgetException">No mixture of forms keeps to the budget.</exception>
    /// <exception cref="ArgumentException">No layer can be quantised or prepared so, or so and be trained, or the metric does not fit the task.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        using var channel = _step.Start();
        var (state, device, data, validation, calibration) = _step.Measure(input, channel, _options.Metric, _options.CancellationToken);
        var step = _options.Step with
        {
            Rows = data,
            Seed = _step.Seed,
            Masks = state.Masks,
            Measure = data.ValidationRows.IsEmpty ? null : network => validation.MeasureScored(network)!,
            Calibration = calibration,
        };
        var (quantized, epochs) = _options.Epochs > 0 ? Train(input, state, data, device, channel, step)
            : (Learned(state) is { } learned ? learned.Write(step) : _options.Quantizer.Quantize(state.Network, step), []);
        var masks = Masks(state, quantized, step);
        if (state.Task == LearningTask.Regression && quantized.Layers.LastOrDefault(layer => layer.Weights.Length > 0) is { } last
            && last.Weights.Any(weight => IsBinary(quantized[weight])))
        {
            step.Warnings.Add($"'{last.Node.Name}' makes the numbers of a regression from weights of two values each: keep it in another form, as with "
                + "Quantizer.Weights(4)");
        }

        var report = new QuantizationReport(_options.Quantizer.ToString()!, _options.Rounding.ToString()!,
            validation.MeasureScored(state.Network), validation.MeasureScored(quantized),
            OnnxWriter.Write(state.Network).CalculateSize(), OnnxWriter.Write(quantized).CalculateSize(),
            [.. step.Floats.Select(layer => new UnquantizedLayer(layer.Layer, layer.Reason))], epochs)
        {
            Preparation = _options.Preparation?.ToString(), Layers = step.Chosen, Warnings = step.Warnings, Settings = StepSettings.Of(_options, _step.Seed),
        };
        channel.Info(MessageSensitivity.None, "{0}", report.ToString());
        // What it was before training is no network of this graph.
        return new(state with { Network = quantized, Masks = masks, Initial = quantized, Early = null }, input.Schema, report);
    }

    /// <summary>The same with the network of floats as the teacher of its training.</summary>
    /// <param name="distillation">What it learns from there, or from the teacher that this names; by default <see cref="Distillation.Response"/>.</param>
    /// <exception cref="InvalidOperationException">The options have no epochs of training.</exception>
    public QuantizeEstimator WithTeacher(Distillation? distillation = null) => _options.Epochs > 0 ? new(this, distillation ?? Distillation.Response())
        : throw new InvalidOperationException($"Nothing is trained, so that nothing is taught: set {nameof(QuantizationOptions)}.{nameof(_options.Epochs)}.");

    /// <summary>The steps that the training before learned of the same quantiser, where nothing else was asked for and the network is still that one.</summary>
    private QuantizationPlan? Learned(NetworkState state) => state.Steps is QuantizationPlan plan && ReferenceEquals(plan.Network, state.Network)
        && plan.Quantizer!.ToString() == _options.Quantizer.ToString() && _options is { Preparation: null }
        && _options.Range == QuantizationRange.MinMax && _options.WeightRange == QuantizationRange.MinMax && _options.Rounding == WeightRounding.Nearest
        && _options.Target.WeightBits == QuantizationTarget.Any.WeightBits ? plan : null;

    private static bool IsBinary(Parameter weight)
    {
        var magnitudes = weight.Values.ToArray().Select(Math.Abs).Distinct().Take(2).ToArray();
        return weight.Grid is not null && weight.Count > 2 && magnitudes is [not 0];
    }

    /// <summary>The masks as the quantised weights lie; refuses what has no zero for weights that were pruned.</summary>
    private ImmutableDictionary<string, WeightMask> Masks(NetworkState state, Network quantized, QuantizationStep step)
    {
        var masks = state.Masks;
        foreach (var (name, before) in state.Masks.OrderBy(mask => mask.Key, StringComparer.Ordinal))
        {
            if (quantized.Parameter(name) is null)
            {
                // Of batch normalisation: a scale of zero has become weights of zero.
                masks = masks.Remove(name);
                step.Warnings.Add($"'{name}', which is pruned, is folded into the layer before it, and has no mask of its own any more");
                continue;
            }

            var mask = before;
            // A dense layer that became a product and a sum reads its weight the other way round.
            if (state.Network.Consumers(name).Any(node => node.Operator == "Gemm" && node.Int("transB", 0) == 1)
                && quantized.Consumers(name).All(node => node.Operator == "MatMul"))
            {
                var kept = before.ToArray();
                mask = new WeightMask([.. TensorPlaces.Transposed(state.Network[name].Shape, [1, 0]).Select(place => kept[place])]);
                masks = masks.SetItem(name, mask);
            }

            var values = quantized[name].Values;
            for (var i = 0; i < values.Length; i++)
            {
                if (!mask[i] && values[i] != 0)
                {
                    throw new ArgumentException($"Value {i} of '{name}' is pruned, and {_options.Quantizer} has no zero for it: take another quantiser, or "
                        + "quantise without a pruning that masks before it.");
                }
            }
        }

        return masks;
    }

    private (Network, IReadOnlyList<EpochResult>) Train(IDataView input, NetworkState state, TrainingData data, Device device, IChannel channel,
        QuantizationStep step)
    {
        var prepared = step.Preparation?.Prepare(state.Network, step) ?? state.Network;
        var training = (_options.FineTuning ?? state.Training.ForLaterStep())
            .With(_options.Epochs, cancellation: _options.CancellationToken, metric: _options.Metric);
        training = _distillation is null ? training : training with { Distillation = _distillation };
        var loop = new TrainingLoop(data, training, state.Task, device, result => NeuralNetworkTrainer.Report(channel, training.Progress, result));
        using var session = NetworkStep.Teach(training, input, state with { Dense = state.Dense ?? state.Network }, data, device);
        var (result, quantized) = _options.Quantizer.Train(prepared, step, (network, floats)
            => loop.Run(network, state.Masks, _step.Seed, session: session, floats: floats));
        return (quantized, result.History);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric, _options.FineTuning?.Metric);
}
