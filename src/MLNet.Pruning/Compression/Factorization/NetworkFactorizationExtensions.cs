using MLNet.Pruning.Compression.Factorization;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

/// <summary>Factorisation of a network outside a pipeline.</summary>
public static class NetworkFactorizationExtensions
{
    /// <summary>Takes layers apart into several smaller ones of which the product is nearly the layer.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="factorizer">Into which.</param>
    /// <param name="rank">How small; one that goes by a metric needs a chain.</param>
    /// <param name="rows">Calibration rows, one after another, each with the values of all inputs; for factorisers that go by them.</param>
    /// <param name="scope">Which layers; by default all.</param>
    /// <returns>The network with the smaller layers; a layer that would not get smaller is as it was.</returns>
    /// <exception cref="ArgumentException">
    /// No layer can be factorised so, a weight is not finite, a name does not exist, a given rank is above the layer's, or the rows are no multiple of a
    /// row's values.
    /// </exception>
    /// <exception cref="UnreachableBudgetException">No ranks meet a budget.</exception>
    /// <exception cref="InvalidOperationException">Rows are needed and there are none, or they make values that are not finite.</exception>
    public static Network Factorize(this Network network, Factorizer factorizer, Rank rank, ReadOnlySpan<float> rows = default, Scope? scope = null)
    {
        ArgumentNullException.ThrowIfNull(factorizer);
        ArgumentNullException.ThrowIfNull(rank);
        return network.Factorize(new FactorizationOptions { Factorizer = factorizer, Rank = rank, Scope = scope ?? Scope.Network }, out _, rows);
    }

    /// <inheritdoc cref="Factorize(Network, Factorizer, Rank, ReadOnlySpan{float}, Scope)"/>
    /// <param name="network">The network, with values.</param>
    /// <param name="options">How.</param>
    /// <param name="layers">What became of each layer with a weight or a table.</param>
    /// <param name="rows">Calibration rows, one after another, each with the values of all inputs; for factorisers that go by them.</param>
    public static Network Factorize(this Network network, FactorizationOptions options, out IReadOnlyList<FactorizedLayer> layers,
        ReadOnlySpan<float> rows = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        options = Setting.Present(options, nameof(options)).Checked();
        var data = rows.IsEmpty ? null : GivenRows.Of(network, rows);
        TorchRuntime.Require(options.CancellationToken);
        (var small, layers) = FactorizationPlan.Run(network, options.Factorizer, options.Rank, options.Step with
        {
            Calibration = data is null ? null
                : () => GivenRows.Calibration(data) with { Seed = options.Seed ?? 0, CancellationToken = options.CancellationToken },
        });
        return small;
    }
}
