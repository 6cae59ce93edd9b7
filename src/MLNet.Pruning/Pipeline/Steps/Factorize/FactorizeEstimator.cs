using MLNet.Pruning.Compression.Factorization;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>Takes layers of the network of the step before apart into several smaller ones, and hands on the smaller network.</summary>
public sealed class FactorizeEstimator : IEstimator<NeuralNetworkTransformer>
{
    private readonly NetworkStep _step;
    private readonly FactorizationOptions _options;

    internal FactorizeEstimator(IHostEnvironment environment, FactorizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _step = new(environment, "Factorize", options.Seed);
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step, or the rows make values that are not finite.</exception>
    /// <exception cref="ArgumentException">
    /// No layer can be factorised so, a weight is not finite, a name does not exist, a given rank is above the layer's, or the metric does not fit the task.
    /// </exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        var state = _step.Require(input);
        using var channel = _step.Start();
        var device = _step.Device(channel, _options.CancellationToken);
        var data = NetworkStep.Read(input, state, _options.CancellationToken);
        var validation = Validation.Of(data, state.Task, state.Training.With(cancellation: _options.CancellationToken, metric: _options.Metric));
        var (network, layers) = FactorizationPlan.Run(state.Network, _options.Factorizer, _options.Rank, _options.Step with
        {
            Masks = state.Masks,
            Calibration = () => new(data, state.Task, validation.Loss, device, validation.BatchSize, _step.Seed, _options.CancellationToken),
            Measure = validation.Measure,
        });
        var report = new FactorizationReport(_options.Factorizer.ToString()!, _options.Rank.ToString()!, validation.Measure(state.Network),
            validation.Measure(network), state.Network.ParameterCount, network.ParameterCount, MultiplyAdds(state.Network), MultiplyAdds(network), layers);
        channel.Info(MessageSensitivity.None, "{0}", report.ToString());
        if (layers.All(layer => layer.Reason is not null))
        {
            channel.Warning(MessageSensitivity.None, "No layer got smaller: {0}", string.Join("; ", layers));
        }

        // What it was before training is no network of this graph; later steps learn from the whole one.
        return new(state with
        {
            Network = network,
            Initial = network,
            Early = null,
            Dense = state.Dense ?? state.Network,
            Masks = state.Masks.RemoveRange(state.Masks.Keys.Where(name => network.Parameter(name) is null)),
        }, input.Schema, report);
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _step.GetOutputSchema(inputSchema, _options.Metric);

    private static string MultiplyAdds(Network network) => network.Layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAdds).ToString();
}
