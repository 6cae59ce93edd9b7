using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>What rules that look at the whole network measure.</summary>
/// <param name="Network">The network as it is.</param>
/// <param name="Step">How it is factorised.</param>
internal sealed record RankSearch(Network Network, FactorizationStep Step)
{
    private readonly long _parameters = Network.ParameterCount;
    private readonly Lazy<long> _multiplyAdds = new(Network.MultiplyAdds);
    private double? _milliseconds;

    /// <summary>A network on the validation rows.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public ValidationResult Measure(Network network)
    {
        Step.CancellationToken.ThrowIfCancellationRequested();
        return Step.Measure(network) ?? throw new InvalidOperationException("Ranks that go by a metric are measured on validation rows, and there are none: "
            + "factorise in a chain whose network was trained with a ValidationFraction above 0.");
    }

    /// <summary>The network as it is on the validation rows.</summary>
    /// <exception cref="MetricException">They do not define the metric.</exception>
    public ValidationResult MeasureBefore() => Measure(Network) is var before && double.IsNaN(before.Metric)
        ? throw new MetricException(before.Name, "a choice of ranks") : before;

    /// <summary>The network with layers at levels.</summary>
    public Network At(IReadOnlyList<RankLevels> layers, IReadOnlyList<int> levels)
    {
        var changed = layers.Zip(levels, (layer, level) => (layer.Layer, Ranks: layer[level].Ranks)).Where(layer => layer.Ranks is not null)
            .Select(layer => (layer.Layer, layer.Ranks!.Value, (Factors?)layer.Layer.Factors(layer.Ranks.Value, Step.CancellationToken))).ToArray();
        return changed.Length > 0 ? FactorizedGraph.Write(Network, changed, out _) : Network;
    }

    /// <summary>What a limit allows.</summary>
    public double Most(BudgetLimit limit) => limit.MostOf(() => _milliseconds ??= Cost(limit.Measure, Network, limit.Batch, Step.CancellationToken));

    /// <summary>What the network with layers at levels costs; it is written only where that takes it.</summary>
    public double Cost(BudgetLimit limit, IReadOnlyList<RankLevels> layers, IReadOnlyList<int> levels) => limit.Measure switch
    {
        CostMeasure.Parameters => _parameters + layers.Zip(levels, (layer, level) => layer[level].Parameters - layer.Layer.Parameters).Sum(),
        CostMeasure.MultiplyAdds => _multiplyAdds.Value + layers.Zip(levels, (layer, level) => layer[level].MultiplyAdds - layer.Layer.MultiplyAdds).Sum(),
        _ => Cost(limit.Measure, At(layers, levels), limit.Batch, Step.CancellationToken),
    };

    /// <summary>What a network costs.</summary>
    public static double Cost(CostMeasure measure, Network network, int batch, CancellationToken cancellation) => measure switch
    {
        CostMeasure.Parameters => network.ParameterCount,
        CostMeasure.MultiplyAdds => network.MultiplyAdds(),
        CostMeasure.Bytes => OnnxWriter.Write(network).CalculateSize(),
        _ => new NetworkTimer().Milliseconds(network, batch, cancellation),
    };
}
