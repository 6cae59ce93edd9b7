using System.Security.Cryptography;
using System.Text;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>A network pruned layer by layer to chosen levels, by an importance measured once on the network as it is.</summary>
internal sealed class RatioSpace
{
    /// <summary>The shares of a layer's candidates tried unless others are requested.</summary>
    public static readonly double[] DefaultSparsities = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    private readonly ImportanceScores _scores;
    private readonly Candidates _candidates;

    /// <param name="start">The network to prune.</param>
    /// <param name="options">Which candidates, and by what criterion.</param>
    /// <param name="sparsities">The shares of a layer's candidates that may go.</param>
    /// <param name="calibration">Rows for criteria.</param>
    /// <exception cref="ArgumentException">Nothing in scope can be pruned, or the granularity has no share of a layer.</exception>
    public RatioSpace(PrunedNetwork start, SelectionOptions options, IReadOnlyList<double> sparsities, CalibrationData? calibration)
    {
        Start = start;
        _scores = options.Importance.Measure(new(start, calibration, options.CancellationToken));
        // Layers are not compared with each other.
        _candidates = Candidates.Of(options with { Normalize = false }, start, _scores, isApart: true);
        Layers = [.. _candidates.Pools.Select(pool => RatioLayer.Of(pool, sparsities))];
    }

    public PrunedNetwork Start { get; }

    /// <summary>The layers in the order of the network.</summary>
    public IReadOnlyList<RatioLayer> Layers { get; }

    /// <summary>Why layers that are not among <see cref="Layers"/> cannot lose anything.</summary>
    public IEnumerable<string> Reasons => _candidates.Reasons();

    /// <summary>Whether structures are removed rather than set to zero.</summary>
    public bool Removes => _candidates.Removes;

    /// <summary>Refuses what has no share layer by layer.</summary>
    /// <exception cref="ArgumentException">Names the granularity or the distribution.</exception>
    public static void Check(Granularity granularity, Scope scope)
    {
        if (granularity.IsDepth || granularity.Pattern is not null)
        {
            throw new ArgumentException($"Granularity '{granularity}' has no share of a layer that could be more or less: use units, weights, or other "
                + "structures of layers.", nameof(granularity));
        }

        if (scope.Distribution != Distribution.Global && scope.Distribution != Distribution.Uniform)
        {
            throw new ArgumentException($"The distribution '{scope.Distribution}' says what each layer loses, which is measured or searched for here: leave "
                + "it out.", nameof(scope));
        }
    }

    /// <summary>Shares as options keep them: a list that nobody can write to.</summary>
    /// <exception cref="ArgumentException">None, or one outside [0, 1).</exception>
    public static IReadOnlyList<double> Copy(IReadOnlyList<double> sparsities)
    {
        ArgumentNullException.ThrowIfNull(sparsities);
        if (sparsities.Count == 0 || sparsities.Any(sparsity => !(sparsity is >= 0 and < 1)))
        {
            throw new ArgumentException(sparsities.Count == 0 ? "Give at least one sparsity."
                : $"Sparsities lie in [0, 1); one is {sparsities.First(s => !(s is >= 0 and < 1))}.", nameof(sparsities));
        }

        return Array.AsReadOnly<double>([.. sparsities]);
    }

    /// <summary>Every layer at the same level, or at its last where that is before.</summary>
    public int[] Uniform(int level) => [.. Layers.Select(layer => Math.Min(level, layer.Last))];

    /// <summary>The network with each layer at its level.</summary>
    public PrunedNetwork Prune(IReadOnlyList<int> levels)
    {
        var pruned = _candidates.Drop(Drops(levels));
        return pruned == Start ? Start : _scores.Compensate(pruned);
    }

    /// <summary>Candidates that are left of each layer; more than its level says where something would be left with nothing.</summary>
    public IReadOnlyList<long> Kept(IReadOnlyList<int> levels)
        => [.. Layers.Zip(_candidates.Losses(Drops(levels)), (layer, loss) => layer.Kept[0] - loss.Lost)];

    /// <summary>What is counted in it; where structures are removed, a network without values.</summary>
    public Network Sketch(IReadOnlyList<int> levels) => _candidates.Outline(Drops(levels));

    /// <summary>Tells spaces apart that choose other structures.</summary>
    public string Fingerprint() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Layers.Select(layer
        => $"{layer.Parameter} {layer.Total} {string.Join(' ', layer.Kept)}")
        .Concat(_candidates.Choices([.. Layers.Select(layer => layer.Kept.Select(kept => layer.Kept[0] - kept))]))))));

    private long[] Drops(IReadOnlyList<int> levels) => [.. Layers.Zip(levels, (layer, level) => layer.Kept[0] - layer.Kept[level])];
}
