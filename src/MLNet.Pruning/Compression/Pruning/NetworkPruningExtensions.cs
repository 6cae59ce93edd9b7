using MLNet.Pruning.Compression.Pruning;

namespace MLNet.Pruning;

/// <summary>Pruning of a network outside a pipeline.</summary>
public static partial class NetworkPruningExtensions
{
    /// <summary>
    /// Drops the network's least important weights or structures; see <see cref="PrunedNetwork.Prune(Amount, Importance, Granularity, Scope)"/>.
    /// </summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="amount">
    /// How much of each pool that <paramref name="scope"/> makes; null with <see cref="Granularity.NToM"/>, which has an amount of its own.
    /// </param>
    /// <param name="importance">How important a weight or structure is; by default <see cref="Importance.L1"/>.</param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <exception cref="ArgumentException">The amount is more than there is, a name does not exist, or nothing in scope can be pruned.</exception>
    /// <exception cref="PruningTargetException">A cost is out of reach.</exception>
    /// <exception cref="InvalidOperationException">An importance is NaN, as that of a weight that is NaN.</exception>
    public static PrunedNetwork Prune(this Network network, Amount? amount = null, Importance? importance = null, Granularity? granularity = null,
        Scope? scope = null)
        => network.WithoutMasks().Prune(amount, importance, granularity, scope);

    /// <summary>Prunes the network as the options say; see <see cref="PrunedNetwork.Prune(SelectionOptions)"/>.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">
    /// The amount is more than there is, a name does not exist, nothing in scope can be pruned, or a setting works on rows, such as
    /// <see cref="PruningOptions.FineTuneEpochs"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">An importance is NaN, as that of a weight that is NaN.</exception>
    public static PrunedNetwork Prune(this Network network, SelectionOptions options) => network.WithoutMasks().Prune(options);

    /// <summary>Prunes the network as the options say, and reports how; see <see cref="PrunedNetwork.Prune(SelectionOptions, out PruningReport)"/>.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="options">How.</param>
    /// <param name="report">What the steps gave.</param>
    /// <exception cref="ArgumentException">
    /// The amount is more than there is, a name does not exist, nothing in scope can be pruned, or a setting works on rows, such as
    /// <see cref="PruningOptions.FineTuneEpochs"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">An importance is NaN, as that of a weight that is NaN.</exception>
    public static PrunedNetwork Prune(this Network network, SelectionOptions options, out PruningReport report)
        => network.WithoutMasks().Prune(options, out report);

    /// <summary>
    /// Prunes several networks of the same structure as the options say, so that all lose the same weights or structures: the importance of a weight
    /// or structure is the mean of that in each of them. Members of an ensemble then share one mask, or one smaller structure. Only criteria that look at
    /// weights alone can be used, as with
    /// <see cref="Prune(Network, SelectionOptions)"/>.
    /// </summary>
    /// <param name="networks">At least one, with values; the same layers of the same shapes, with other weights.</param>
    /// <param name="options">How.</param>
    /// <returns>The networks in the same order.</returns>
    /// <exception cref="ArgumentException">
    /// There is none, two differ in structure, the amount is more than there is, a name does not exist, or nothing in scope can be pruned.
    /// </exception>
    public static IReadOnlyList<PrunedNetwork> PruneTogether(this IReadOnlyList<Network> networks, SelectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(networks);
        ArgumentNullException.ThrowIfNull(options);
        options.ValidateAlone();
        SharedPruning.Check(networks);
        return SharedPruning.Run(networks, options);
    }

    /// <summary>Drops what a mask of your own says.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="parameter">Name of the parameter.</param>
    /// <param name="mask">One entry a value, in row-major order.</param>
    /// <exception cref="ArgumentException">No such parameter, or a mask of another size.</exception>
    public static PrunedNetwork WithMask(this Network network, string parameter, WeightMask mask) => network.WithoutMasks().WithMask(parameter, mask);

    /// <summary>Drops what masks of your own say, such as those that <see cref="WeightMask"/> makes.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="masks">By the name of their parameter; each one entry a value, in row-major order.</param>
    /// <exception cref="ArgumentException">No such parameter, or a mask of another size.</exception>
    public static PrunedNetwork WithMasks(this Network network, IReadOnlyDictionary<string, WeightMask> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        if (masks.FirstOrDefault(mask => mask.Value is null).Key is { } missing)
        {
            throw new ArgumentNullException(nameof(masks), $"The mask of '{missing}' is null.");
        }

        return masks.OrderBy(mask => mask.Key, StringComparer.Ordinal)
            .Aggregate(network.WithoutMasks(), (pruned, mask) => pruned.WithMask(mask.Key, mask.Value));
    }

    /// <summary>Drops in this network what is dropped in another of the same structure.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="other">The network whose masks are taken; its weights are not.</param>
    /// <exception cref="ArgumentException">A parameter that has a mask there is missing here or has another shape; the message names both.</exception>
    public static PrunedNetwork WithMasksOf(this Network network, PrunedNetwork other)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(other);
        foreach (var name in other.Masks.Keys.Order(StringComparer.Ordinal))
        {
            MaskTransfer.Check(network, name, other.Weights[name].Shape, "the other network");
        }

        return network.WithMasks(other.Masks);
    }

    /// <summary>
    /// Drops what masks in a file say that <see cref="PrunedNetwork.SaveMasks(string)"/> wrote, of this network or of another of the same structure.
    /// </summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFileException">The file is damaged, or was not written by <see cref="PrunedNetwork.SaveMasks(string)"/>.</exception>
    /// <exception cref="ArgumentException">A parameter that has a mask there is missing here or has another shape; the message names both.</exception>
    public static PrunedNetwork LoadMasks(this Network network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return MaskFile.Load(network, path);
    }

    /// <summary>Drops what masks say that a stream holds from its position to its end; the stream stays open. It need not be one that can seek.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ModelFileException">What it holds is damaged, or was not written by <see cref="PrunedNetwork.SaveMasks(Stream)"/>.</exception>
    /// <exception cref="ArgumentException">
    /// The stream cannot be read, or a parameter that has a mask there is missing here or has another shape; the message names both.
    /// </exception>
    public static PrunedNetwork LoadMasks(this Network network, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(network);
        return MaskFile.Load(network, stream);
    }

    private static PrunedNetwork WithoutMasks(this Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(network, ImmutableDictionary<string, WeightMask>.Empty);
    }
}
