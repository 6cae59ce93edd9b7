using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>What a step of pruning did, for what makes up for it.</summary>
/// <param name="Before">The network before the step.</param>
/// <param name="After">What is left of it.</param>
/// <param name="Structure">How groups were found; null where pieces are not groups.</param>
/// <param name="Data">Rows to run; null where there are none.</param>
internal sealed record RecoveryStep(PrunedNetwork Before, PrunedNetwork After, StructureOptions? Structure, CalibrationData? Data)
{
    /// <summary>What is left of each parameter.</summary>
    public KeptIndices Kept { get; } = new(Before.Network, After.Network);

    /// <summary>Ends it.</summary>
    public CancellationToken CancellationToken => Data?.CancellationToken ?? default;

    /// <summary>Starts to run rows through one of the networks.</summary>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public CalibrationRun Start(string name, PrunedNetwork network, int rows) => new Calibration(network, Data).Start(name, rows);

    /// <summary>Whether the layer has fewer inputs, or fewer weights that are not held at zero, than before.</summary>
    public bool HasLost(LayerInfo layer)
    {
        var weight = layer.Weights[0];
        return Kept.Of(weight, layer.Axes(Before.Network[weight]).Input) is not null
            || (After.Masks.TryGetValue(weight, out var mask) && mask.Count == Before.Network[weight].Count && mask.Kept < (Before.Masks.GetValueOrDefault(weight)?.Kept ?? mask.Count));
    }
}
