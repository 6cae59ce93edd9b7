using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A layer with its decomposition, and what it costs at any rank.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Method">What decomposed it, as text.</param>
/// <param name="Decomposition">Its decomposition.</param>
internal sealed record RankedLayer(FactorizableLayer Layer, string Method, Decomposition Decomposition)
{
    private readonly Dictionary<string, Factors> _factors = [];

    /// <summary>What the user gave; null where a rule chooses.</summary>
    public ImmutableArray<int>? Given { get; init; }

    /// <summary>Trained values of the layer as it is.</summary>
    public long Parameters => Layer.Weight.Count;

    /// <summary>Multiply-adds of a row as it is, with every open size 1.</summary>
    public long MultiplyAdds => Layer.Layers.Sum(layer => layer.MultiplyAdds.AtOnes);

    /// <summary>How often each weight of the layers in its place is used for a row, by layer, all nodes together.</summary>
    public long[] Uses { get; set; } = [];

    /// <summary>Trained values at a rank.</summary>
    public long ParametersAt(ImmutableArray<int> ranks) => Parts(ranks).Sum(part => (long)part.Count)
        + (Decomposition.Shifts && !Layer.Layers.All(layer => layer.Node.Input(2) is not null && layer.Node.Operator is "Conv" or "Gemm")
            ? Layer.Matrix.Rows : 0);

    /// <summary>Multiply-adds of a row at a rank, with every open size 1.</summary>
    public long MultiplyAddsAt(ImmutableArray<int> ranks) => Parts(ranks).Select((part, i) => part.Count * Uses[i]).Sum();

    /// <summary>Whether the layers are smaller: fewer parameters, and no more multiply-adds, but of a table, that has none.</summary>
    public bool IsSmaller(ImmutableArray<int> ranks) => ParametersAt(ranks) < Parameters && (MultiplyAdds == 0 || MultiplyAddsAt(ranks) <= MultiplyAdds);

    /// <summary>Its weights at a rank, computed once.</summary>
    public Factors Factors(ImmutableArray<int> ranks, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var key = Text(ranks);
        return _factors.TryGetValue(key, out var factors) ? factors : _factors[key] = Decomposition.Compute(ranks, cancellation);
    }

    /// <summary>"16", or of several modes "12 x 16".</summary>
    public static string Text(ImmutableArray<int> ranks) => string.Join(" x ", ranks);

    private IReadOnlyList<LayerPart> Parts(ImmutableArray<int> ranks) => Decomposition.Parts(Layer.Node, ranks);
}
