using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Pruning of a network outside a pipeline.</summary>
public static class NetworkPruningExtensions
{
    /// <summary>Drops the network's least important pieces; see <see cref="PrunedNetwork.Prune(Amount, Importance, Granularity, Scope)"/>.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="amount">How much of each pool that <paramref name="scope"/> makes.</param>
    /// <param name="importance">What a piece is worth; by default <see cref="Importance.L1"/>.</param>
    /// <param name="granularity">What a piece is; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <exception cref="ArgumentException">The amount is more than there is, a name does not exist, or nothing in scope can be pruned.</exception>
    public static PrunedNetwork Prune(this Network network, Amount amount, Importance? importance = null, Granularity? granularity = null, Scope? scope = null)
        => network.WithoutMasks().Prune(amount, importance, granularity, scope);

    /// <summary>Prunes the network at once, as the options say; see <see cref="PrunedNetwork.Prune(PruningOptions)"/>.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">The amount is more than there is, a name does not exist, or nothing in scope can be pruned.</exception>
    public static PrunedNetwork Prune(this Network network, PruningOptions options) => network.WithoutMasks().Prune(options);

    /// <summary>Drops what a mask of your own says.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="parameter">Name of the parameter.</param>
    /// <param name="mask">One entry a value, in row-major order.</param>
    /// <exception cref="ArgumentException">No such parameter, or a mask of another size.</exception>
    public static PrunedNetwork WithMask(this Network network, string parameter, WeightMask mask) => network.WithoutMasks().WithMask(parameter, mask);

    private static PrunedNetwork WithoutMasks(this Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(network, ImmutableDictionary<string, WeightMask>.Empty);
    }
}
