using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning;

/// <summary>What a criterion may look at before a step of pruning: the network as it is, its masks, and rows to run through it.</summary>
public sealed class ImportanceContext
{
    private readonly PrunedNetwork _pruned;
    private readonly CalibrationData? _data;
    private readonly CancellationToken _cancellation;
    private IReadOnlySet<string>? _measured;

    /// <param name="pruned">The network with its masks.</param>
    /// <param name="data">The rows; null outside a chain.</param>
    /// <param name="cancellation">Ends the measurement where there are no rows, which bring a token of their own.</param>
    internal ImportanceContext(PrunedNetwork pruned, CalibrationData? data = null, CancellationToken cancellation = default)
        => (_pruned, _data, _cancellation) = (pruned, data, cancellation);

    /// <summary>The network with its masks and checkpoints.</summary>
    internal PrunedNetwork Pruned => _pruned;

    /// <summary>The network, dropped weights at zero. Its groups are found by <see cref="Network.Groups"/>.</summary>
    public Network Network => _pruned.Network;

    /// <summary>What is dropped, by name of the parameter.</summary>
    public IReadOnlyDictionary<string, WeightMask> Masks => _pruned.Masks;

    /// <summary>Ends the measurement; to be looked at several times a second.</summary>
    public CancellationToken CancellationToken => _data?.CancellationToken ?? _cancellation;

    /// <summary>Whether a parameter can be part of what is pruned, so that its measurement is worth its cost.</summary>
    /// <param name="parameter">Name of the parameter.</param>
    public bool Measures(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return (_measured ??= _data?.Measured?.Invoke(_pruned))?.Contains(parameter) != false;
    }

    /// <summary>Starts to run rows through the network; dispose of what is returned.</summary>
    /// <param name="criterion">Name of the criterion that asks.</param>
    /// <param name="rows">How many of the training rows, drawn by the seed; all where there are fewer. At least 1.</param>
    /// <exception cref="InvalidOperationException">There are no rows: the network is not pruned in a chain.</exception>
    public CalibrationRun Start(string criterion, int rows) => Start(criterion, rows, others: false);

    /// <param name="criterion">Name of the criterion that asks.</param>
    /// <param name="rows">How many of the training rows.</param>
    /// <param name="others">Whether other rows at every step of a pruning, until all had their turn.</param>
    /// <param name="shares">Whether the network's own storage is read where it can be, rather than a copy: for who changes no parameter.</param>
    internal CalibrationRun Start(string criterion, int rows, bool others, bool shares = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(criterion);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return _data is not null ? new(_pruned, _data, rows, others, shares) : throw new InvalidOperationException(
            $"{criterion} is measured on calibration rows, and here are none: prune in a chain, where ml.Transforms.Prune takes them from its data "
            + "(a network of your own enters one by ml.Transforms.LoadNetwork), or use a criterion that looks at weights alone, such as Importance.L1.");
    }

    /// <summary>Tells the log.</summary>
    internal void Tell(string text) => _data?.Tell?.Invoke(text);

    /// <summary>The same rows for another network, such as this one without a part of it.</summary>
    /// <param name="network">The other network.</param>
    public ImportanceContext Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty), _data, _cancellation);
    }
}
