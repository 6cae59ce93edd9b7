using System.Diagnostics;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Pipeline.Steps.Prune;

namespace MLNet.Pruning;

public static partial class NetworkPruningExtensions
{
    /// <summary>
    /// Prunes the network as the options say, with rows that have no labels: for importance by activations and for recoveries such as
    /// <see cref="Recovery.Reconstruct"/>. What needs a loss, such as <see cref="Importance.Taylor"/>, or trains is for <c>ml.Transforms.Prune</c>.
    /// </summary>
    /// <param name="network">The network, with values. Sizes of its inputs other than the batch are known; <see cref="Network.FromOnnx(string,
    /// IReadOnlyDictionary{string, int})"/> gives numbers to those that a file leaves open.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">Calibration rows, one after another, each with the values of all inputs in their order; token ids as numbers.</param>
    /// <param name="report">What the steps gave; nothing of it is measured.</param>
    /// <exception cref="ArgumentException">
    /// There are no rows or a part of one, the amount is more than there is, a name does not exist, nothing in scope can be pruned, or a setting takes labels,
    /// such as <see cref="PruningOptions.FineTuneEpochs"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">The importance needs a loss, or the rows make values that are not finite.</exception>
    /// <exception cref="NotSupportedException">The network cannot be run on the rows.</exception>
    /// <exception cref="PruningTargetException">A cost is out of reach.</exception>
    /// <example>
    /// A third of the hidden units of a transformer that reads sentences of 32 tokens:
    /// <code>
    /// var network = Network.FromOnnx("encoder.onnx", new Dictionary&lt;string, int&gt; { ["sequence"] = 32 });
    /// var options = new PruningOptions
    /// {
    ///     Granularity = Granularity.Neuron, Amount = Amount.Fraction(0.3), Scope = Scope.Layer, Importance = Importance.Wanda(rows: 256),
    ///     Recovery = Recovery.Reconstruct(rows: 256, damping: null),
    /// };
    /// // The 32 tokens of each of 256 sentences, one behind another.
    /// var rows = new float[256 * 32];
    /// network.Prune(options, rows, out _).Network.SaveOnnx("small.onnx");
    /// </code>
    /// </example>
    public static PrunedNetwork Prune(this Network network, PruningOptions options, ReadOnlySpan<float> rows, out PruningReport report)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.OfLabels is { } setting)
        {
            throw new ArgumentException($"{setting} takes rows with labels, which these are not: prune in a chain, with ml.Transforms.Prune.", setting);
        }

        if (rows.IsEmpty)
        {
            throw new ArgumentException("There are no calibration rows.", nameof(rows));
        }

        var calibration = GivenRows.Calibration(GivenRows.Of(network, rows)) with
        {
            HasLabels = false, Measured = options.Measured, CancellationToken = options.CancellationToken,
        };
        (var pruned, report) = new PruningLoop(options with { FineTuneEpochs = 0 }, _ => null,
            (_, _) => throw new UnreachableException(), step => options.Progress?.Report(step), calibration).Run(network.WithoutMasks(), null);
        return pruned;
    }
}
