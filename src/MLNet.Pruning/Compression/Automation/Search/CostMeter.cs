using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Counts and times what networks of a space cost.</summary>
/// <param name="space">The networks.</param>
/// <param name="timer">Times them.</param>
/// <param name="batch">Rows of the batch that is timed.</param>
/// <param name="reference">The network whose time a share is of, and that others are timed against.</param>
/// <param name="cancellation">Ends counting and timing.</param>
internal sealed class CostMeter(RatioSpace space, NetworkTimer timer, int batch, Network reference, CancellationToken cancellation = default)
{
    private double? _before;

    /// <summary>What milliseconds are looked up in; measured when it is first asked for, unless it was before.</summary>
    public LatencyTable Latency { get => field ??= TimeLevels(); set; }

    /// <summary>What a limit allows.</summary>
    public double Most(BudgetLimit limit) => limit.MostOf(() => reference == space.Start.Network ? Latency.Whole(0)
        : _before ??= timer.Milliseconds(reference, batch, cancellation));

    /// <summary>What the network with each layer at its level costs, milliseconds by the table; nothing is computed that the measure does not need.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public double Of(CostMeasure measure, IReadOnlyList<int> levels)
    {
        cancellation.ThrowIfCancellationRequested();
        return measure == CostMeasure.Milliseconds ? Latency.Milliseconds(Work(levels))
            : Of(measure, measure == CostMeasure.Bytes ? space.Prune(levels).Network : space.Sketch(levels));
    }

    /// <summary>What a network costs that is not time.</summary>
    public double Of(CostMeasure measure, Network network) => measure switch
    {
        CostMeasure.Bytes => OnnxWriter.Write(network, sparse: !space.Removes).CalculateSize(),
        CostMeasure.MultiplyAdds => space.Removes ? network.MultiplyAdds() : Known(NetworkCost.Of(network, cancellation).Total.LiveMultiplyAdds, network),
        _ => space.Removes ? network.ParameterCount : NetworkCost.Of(network, cancellation).Total.NonZeros,
    };

    /// <summary>The network with each layer at its level, timed as a whole.</summary>
    public double Milliseconds(IReadOnlyList<int> levels) => timer.Milliseconds(space.Prune(levels).Network, batch, cancellation);

    /// <summary>The network with each layer at its level in turns with the one that it is compared with.</summary>
    public (NetworkTime Before, NetworkTime After) InTurns(IReadOnlyList<int> levels)
        => timer.InTurns(reference, space.Prune(levels).Network, batch, cancellation);

    /// <summary>What a layer with weights adds to a cost of the smallest network; of bytes those of its values.</summary>
    public IEnumerable<(string Layer, double Cost)> ByLayer(CostMeasure measure, Network smallest) => measure == CostMeasure.Milliseconds
        ? Latency.Layers.SkipLast(1).Select(layer => (layer.Layer, layer.Milliseconds[^1]))
        : NetworkCost.Of(smallest, cancellation).Layers.Where(layer => layer.Weights > 0).Select(layer => (layer.Name, (double)(measure switch
        {
            CostMeasure.Bytes => sizeof(float) * (space.Removes ? layer.Parameters : layer.NonZeros),
            CostMeasure.MultiplyAdds => Known(space.Removes ? layer.MultiplyAdds : layer.LiveMultiplyAdds, smallest),
            _ => space.Removes ? layer.Parameters : layer.NonZeros,
        })));

    /// <summary>Times a network for each level, with every layer at it, or at its last.</summary>
    private LatencyTable TimeLevels() => LatencyTable.Of(batch, [.. Enumerable.Range(0, space.Layers.Max(layer => layer.Last) + 1).Select(level =>
    {
        var levels = space.Uniform(level);
        return (Work(levels), timer.ByLayer(space.Prune(levels).Network, batch, cancellation));
    })]);

    /// <summary>The multiply-adds of each layer that has some; of zeros as many go as of weights, so that nothing has to be made for it.</summary>
    private Dictionary<string, long> Work(IReadOnlyList<int> levels)
    {
        var network = space.Removes ? space.Sketch(levels) : space.Start.Network;
        var left = space.Removes ? [] : space.Layers.Zip(levels).ToDictionary(layer => layer.First.Parameter, layer => 1 - layer.First.Sparsity(layer.Second));
        double Left(ImmutableArray<string> weights) => weights.Sum(weight => left.GetValueOrDefault(weight, 1) * network[weight].Count)
            / weights.Sum(weight => (double)network[weight].Count);
        return network.Layers.Where(layer => !layer.MultiplyAdds.IsZero).ToDictionary(layer => layer.Node.Name, layer
            => Known(layer.MultiplyAdds.Number, network) is var work && left.Count > 0 && !layer.Weights.IsEmpty ? (long)(work * Left(layer.Weights)) : work);
    }

    private static long Known(long? count, Network network) => count ?? network.MultiplyAdds();
}
