using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

/// <summary>What a step of pruning did, for what makes up for it.</summary>
public sealed class RecoveryStep
{
    /// <summary>Values of the largest tensor at a time: 128 MB of them.</summary>
    private const long Most = 1 << 25;

    private readonly CalibrationData? _data;
    private readonly Action<string>? _warn;

    /// <param name="before">The network before the step.</param>
    /// <param name="after">What is left of it.</param>
    /// <param name="structure">How groups were found; null where candidates are not groups.</param>
    /// <param name="data">Rows to run; null where there are none.</param>
    /// <param name="warn">Gets what is otherwise than expected; null for nobody.</param>
    internal RecoveryStep(PrunedNetwork before, PrunedNetwork after, StructureOptions? structure, CalibrationData? data, Action<string>? warn = null)
    {
        (Before, After, Structure, _data, _warn) = (before, after, structure, data, warn);
        Kept = new(before.Network, after.Network);
    }

    /// <summary>The network before the step.</summary>
    public PrunedNetwork Before { get; }

    /// <summary>What is left of it.</summary>
    public PrunedNetwork After { get; }

    /// <summary>Ends it; to be looked at several times a second.</summary>
    public CancellationToken CancellationToken => _data?.CancellationToken ?? default;

    /// <summary>How groups were found; null where candidates are not groups.</summary>
    internal StructureOptions? Structure { get; }

    /// <summary>Whether a block went: without it all that comes behind it reads something else.</summary>
    internal bool IsShortened => Before.Network.Layers.Any(layer => layer.Weights.Length > 0
        && After.Network.Nodes.All(node => node.Name != layer.Node.Name || node.Operator == "Identity"));

    /// <summary>What is left of each parameter.</summary>
    internal KeptIndices Kept { get; }

    /// <summary>Which indices of a parameter stayed, in the numbering of the network before: all of them where none was removed.</summary>
    /// <param name="parameter">Name of the parameter.</param>
    /// <param name="dimension">From 0 to the number of its dimensions - 1.</param>
    /// <exception cref="ArgumentException">The network before has no such parameter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The parameter has no such dimension.</exception>
    public IReadOnlyList<int> KeptIndices(string parameter, int dimension)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var target = Before.Network[parameter];
        return dimension >= 0 && dimension < target.Shape.Length ? Kept.All(parameter, dimension)
            : throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"Parameter {target} has dimensions 0 to {target.Shape.Length - 1}.");
    }

    /// <summary>Starts to run rows through one of the networks; dispose of what is returned. The same rows, in the same order, for each.</summary>
    /// <param name="recovery">Name of the recovery that asks.</param>
    /// <param name="network">The network: the one before, what is left of it, or that with other weights.</param>
    /// <param name="rows">How many of the training rows, drawn by the seed; all where there are fewer. At least 1.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public CalibrationRun Start(string recovery, PrunedNetwork network, int rows)
    {
        ArgumentException.ThrowIfNullOrEmpty(recovery);
        ArgumentNullException.ThrowIfNull(network);
        return new ImportanceContext(network, _data).Start(recovery, rows);
    }

    /// <summary>The same for who changes no parameter of the run: the network's own storage is read where it can be.</summary>
    internal CalibrationRun Read(string recovery, PrunedNetwork network, int rows)
        => new ImportanceContext(network, _data).Start(recovery, rows, others: false, shares: true);

    /// <summary>How many rows at once the largest tensor allows; no fewer than in training.</summary>
    internal int RowsAtOnce(CalibrationRun run)
    {
        var widest = Before.Network.Graph.Tensors.Values.Where(tensor => tensor.IsKnown)
            .Max(tensor => tensor.Shape.Skip(1).Aggregate(1L, (product, size) => product * Math.Max(1, size)));
        return (int)Math.Clamp(Most / Math.Max(1, widest), Math.Min(run.BatchSize, run.Count), run.Count);
    }

    /// <summary>The same step with something else left of it.</summary>
    internal RecoveryStep With(PrunedNetwork after) => new(Before, after, Structure, _data, _warn);

    /// <summary>Tells what a recovery will hold, and refuses what cannot be held; see <see cref="MemoryBound"/>.</summary>
    internal void Check(string recovery, long bytes) => MemoryBound.Check(new(After, _data), recovery, bytes);

    /// <summary>Tells what is otherwise than expected.</summary>
    internal void Warn(string warning) => _warn?.Invoke(warning);

    /// <summary>Whether the layer has fewer inputs, or fewer weights that are not held at zero, than before.</summary>
    internal bool HasLost(LayerInfo layer)
    {
        var weight = layer.Weights[0];
        return Kept.Of(weight, layer.Axes(Before.Network[weight]).Input) is not null
            || (After.Masks.TryGetValue(weight, out var mask) && mask.Count == Before.Network[weight].Count && mask.Kept
                < (Before.Masks.GetValueOrDefault(weight)?.Kept ?? mask.Count));
    }
}
