using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Files;

namespace MLNet.Pruning;

public sealed partial class PrunedNetwork
{
    /// <summary>
    /// Drops the least important weights or structures of what is left until the amount is gone. The amount is one of the weights or structures of the dense
    /// network: half, requested twice, is half. <see cref="Amount.OfRemaining"/> makes it one of the weights or structures that are not dropped yet, as
    /// <c>torch.nn.utils.prune</c> has it.
    /// </summary>
    /// <param name="amount">
    /// How much of each pool that <paramref name="scope"/> makes; null with <see cref="Granularity.NToM"/>, which has an amount of its own.
    /// </param>
    /// <param name="importance">How important a weight or structure is; by default <see cref="Importance.L1"/>.</param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <returns>The network with the new masks, each a part of the one before; where structures are removed, the smaller network.</returns>
    /// <exception cref="PruningTargetException">More than the amount is dropped already, or a cost is out of reach.</exception>
    /// <exception cref="ArgumentException">The amount is more than there is, a name does not exist, or nothing in scope can be pruned.</exception>
    /// <exception cref="InvalidOperationException">An importance is NaN, as that of a weight that is NaN.</exception>
    public PrunedNetwork Prune(Amount? amount = null, Importance? importance = null, Granularity? granularity = null, Scope? scope = null)
    {
        return Prune(new SelectionOptions
        {
            Amount = amount ?? granularity?.FixedAmount
                ?? throw new ArgumentException($"Granularity '{granularity ?? Granularity.Weight}' says no amount: give one.", nameof(amount)),
            Importance = importance ?? Importance.L1,
            Granularity = granularity ?? Granularity.Weight,
            Scope = scope ?? Scope.Network,
        });
    }

    /// <summary>
    /// Prunes as the options say, by all steps of their schedule. What needs rows, such as fine-tuning between them, is for <c>ml.Transforms.Prune</c>.
    /// </summary>
    /// <param name="options">How.</param>
    /// <returns>The network with the new masks; where structures are removed, the smaller network.</returns>
    /// <exception cref="PruningTargetException">More than the amount is dropped already, or a cost is out of reach.</exception>
    /// <exception cref="ArgumentException">The amount is more than there is, a name does not exist, or nothing in scope can be pruned.</exception>
    /// <exception cref="InvalidOperationException">An importance is NaN, as that of a weight that is NaN.</exception>
    public PrunedNetwork Prune(SelectionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ValidateAlone();
        return options.Progress is null ? PruningPlan.Run(options, this, options.Criterion) : Prune(options, out _);
    }

    /// <summary>Prunes as the options say, and reports every step, what became of each weight or structure, and what went otherwise than expected.</summary>
    /// <param name="options">How.</param>
    /// <param name="report">What the steps gave; nothing of it is measured on rows.</param>
    /// <inheritdoc cref="Prune(SelectionOptions)"/>
    public PrunedNetwork Prune(SelectionOptions options, out PruningReport report)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ValidateAlone();
        var criterion = options.Criterion;
        ImportanceScores Measure(PrunedNetwork network) => criterion.Measure(new(network, cancellation: options.CancellationToken));
        (var pruned, report) = PruningPlan.Create(options, this, Measure(this), Measure)
            .Run(before: null, (_, network) => new(network), step => options.Progress?.Report(step));
        return pruned;
    }

    /// <summary>
    /// Writes the masks alone, without weights, as UTF-8 JSON: <c>{"format": "MLNet.Pruning masks", "version": 1, "masks": [{"parameter":
    /// "fc1.weight", "shape": [300, 784], "kept": 23520, "bits": "..."}]}</c>. Bits are base64 of one bit a value in row-major order, the
    /// lowest bit of a byte first, 1 for kept. <see cref="NetworkPruningExtensions.LoadMasks(Network, string)"/> reads it.
    /// </summary>
    /// <param name="path">The file; written beside and renamed, so that an old one stays whole until the new one is.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveMasks(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => MaskFile.Save(this, stream));
    }

    /// <summary>Writes the masks where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveMasks(Stream stream) => MaskFile.Save(this, OpenStream.Writable(stream));
}
