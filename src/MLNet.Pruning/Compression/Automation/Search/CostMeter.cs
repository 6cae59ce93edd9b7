using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Counts and times what networks of a space cost.</summary>
/// <param name="space">The networks.</param>
/// <param name="batch">Rows of the batch that is timed.</param>
/// <param name="cancellation">Ends counting and timing.</param>
internal sealed class CostMeter(RatioSpace space, int batch, CancellationToken cancellation = default)
{
    /// <summary>What the network with each layer at its level costs; nothing is computed that the measure does not need.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public double Of(CostMeasure measure, IReadOnlyList<int> levels)
    {
        cancellation.ThrowIfCancellationRequested();
        return Of(measure, measure is CostMeasure.Bytes or CostMeasure.Milliseconds ? space.Prune(levels).Network : space.Sketch(levels));
    }

    /// <summary>What a network costs.</summary>
    public double Of(CostMeasure measure, Network network) => measure switch
    {
        CostMeasure.Bytes => OnnxWriter.Write(network, sparse: !space.Removes).CalculateSize(),
        CostMeasure.Milliseconds => NetworkTimer.Milliseconds(network, batch, cancellation),
        CostMeasure.MultiplyAdds => space.Removes ? network.MultiplyAdds() : Known(NetworkCost.Of(network, cancellation).Total.LiveMultiplyAdds, network),
        _ => space.Removes ? network.ParameterCount : NetworkCost.Of(network, cancellation).Total.NonZeros,
    };

    /// <summary>What a layer with weights adds to a cost; of bytes those of its values, of milliseconds its share of the multiply-adds.</summary>
    public IEnumerable<(string Layer, double Cost)> ByLayer(CostMeasure measure, Network network)
    {
        var cost = NetworkCost.Of(network, cancellation);
        var milliseconds = measure == CostMeasure.Milliseconds ? Of(measure, network) / Math.Max(1, network.MultiplyAdds()) : 0;
        return cost.Layers.Where(layer => layer.Weights > 0).Select(layer => (layer.Name, measure switch
        {
            CostMeasure.Bytes => sizeof(float) * (space.Removes ? layer.Parameters : layer.NonZeros),
            CostMeasure.Milliseconds => milliseconds * Known(layer.MultiplyAdds, network),
            CostMeasure.MultiplyAdds => Known(space.Removes ? layer.MultiplyAdds : layer.LiveMultiplyAdds, network),
            _ => space.Removes ? layer.Parameters : layer.NonZeros,
        }));
    }

    private static long Known(long? count, Network network) => count ?? network.MultiplyAdds();
}
