using System.Collections.Immutable;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>What a criterion may look at before a step of pruning: the network as it is, and rows to run through it.</summary>
/// <param name="pruned">The network with its masks.</param>
/// <param name="data">The rows; null outside a chain.</param>
/// <param name="cancellation">Ends the measurement where there are no rows, which bring a token of their own.</param>
internal sealed class Calibration(PrunedNetwork pruned, CalibrationData? data = null, CancellationToken cancellation = default)
{
    private IReadOnlySet<string>? _measured;

    /// <summary>The network, dropped weights at zero.</summary>
    public Network Network => pruned.Network;

    /// <summary>What is dropped.</summary>
    public IReadOnlyDictionary<string, WeightMask> Masks => pruned.Masks;

    /// <summary>Ends the measurement.</summary>
    public CancellationToken CancellationToken => data?.CancellationToken ?? cancellation;

    /// <summary>Whether a parameter can be part of what is pruned, so that its measurement is worth its cost.</summary>
    public bool Measures(string parameter) => (_measured ??= data?.Measured?.Invoke(pruned))?.Contains(parameter) != false;

    /// <summary>Starts to run rows through the network.</summary>
    /// <param name="criterion">Name of the criterion that asks.</param>
    /// <param name="rows">How many of the training rows, drawn by the seed; all where there are fewer.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public CalibrationRun Start(string criterion, int rows) => data is not null ? new(pruned, data, rows) : throw Missing(criterion);

    /// <summary>The same rows for another network.</summary>
    public Calibration Of(Network network) => Of(new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty));

    /// <inheritdoc cref="Of(Network)"/>
    public Calibration Of(PrunedNetwork other) => new(other, data, cancellation);

    /// <summary>One score a weight, nothing for those that are dropped.</summary>
    /// <param name="criterion">Name of the criterion.</param>
    /// <param name="scores">By parameter; taken over.</param>
    public WeightScores Scores(string criterion, Dictionary<string, float[]> scores)
    {
        foreach (var (name, mask) in Masks)
        {
            CancellationToken.ThrowIfCancellationRequested();
            if (scores.TryGetValue(name, out var values))
            {
                scores[name] = mask.Apply(values);
            }
        }

        return new(criterion, scores);
    }

    public static InvalidOperationException Missing(string criterion) => new(
        $"{criterion} is measured on calibration rows, and here are none: prune in a chain, where ml.Transforms.Prune takes them from its data "
        + "(a network of your own enters one by ml.Transforms.LoadNetwork), or use a criterion that looks at weights alone, such as Importance.L1.");
}
