using MLNet.Pruning.Compression.Factorization;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Pipeline.Steps;

namespace MLNet.Pruning;

/// <summary>
/// Takes layers of the network of the step before apart into several smaller ones, and hands on the smaller network. What became of each layer is in
/// <see cref="NeuralNetworkTransformer.Report"/>, a <see cref="FactorizationReport"/>.
/// </summary>
public sealed class FactorizeEstimator : IEstimator<NeuralNetworkTransformer>
{
    private const string Name = "Factorize";

    private readonly FactorizationOptions _options;
    private readonly NetworkStep _step;

    internal FactorizeEstimator(IHostEnvironment environment, FactorizationOptions options)
        => (_options, _step) = (Setting.Present(options, nameof(options)).Checked(), new(environment, Name, options.Seed));

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No network comes before this step, or the rows make values that are not finite.</exception>
    /// <exception cref="ArgumentException">
    /// No layer can be factorised so, a weight is not finite, a name does not exist, a given rank is above the layer's, or the metric does not fit the task.
    /// </exception>
    /// <exception cref="UnreachableBudgetException">No ranks meet a budget.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric that a budget goes by.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, or values that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public NeuralNetworkTransformer Fit(IDataView input)
    {
        using var channel = _step.Start();
        var (state, _, _, validation, calibration) = _step.Measure(input, channel, _options.Metric, _options.CancellationToken);
        var (network, layers) = FactorizationPlan.Run(state.Network, _options.Factorizer, _options.Rank, _options.Step with
        {
            Masks = state.Masks,
            Calibration = calibration,
            Measure = validation.Measure,
        });
        var report = new FactorizationReport(_options.Factorizer.ToString()!, layers, _options.Rank.ToString()!, [.. Costs(state.Network, network)],
            validation.Measure(state.Network), validation.Measure(network)) { Settings = StepSettings.Of(_options, _step.Seed) };
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

    private IEnumerable<BudgetCost> Costs(Network before, Network after)
    {
        var limits = _options.Rank.Budget?.Limits ?? [];
        var isCounted = before.Layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAdds).Number is not null;
        CostMeasure[] measures = [CostMeasure.Parameters, .. isCounted ? [CostMeasure.MultiplyAdds] : Array.Empty<CostMeasure>()];
        return measures.Union(limits.Select(limit => limit.Measure)).Select(measure =>
        {
            var limit = limits.FirstOrDefault(limit => limit.Measure == measure);
            double Of(Network network) => RankSearch.Cost(measure, network, limit?.Batch ?? 1, _options.CancellationToken);
            return new BudgetCost(measure, Of(before), Of(after), limit?.Most);
        });
    }
}
