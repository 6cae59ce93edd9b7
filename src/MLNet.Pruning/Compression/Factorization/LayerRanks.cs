namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A rule for each layer by itself.</summary>
internal abstract class LayerRank : Rank
{
    internal override IReadOnlyList<RankChoice> Choose(IReadOnlyList<RankedLayer> layers, RankSearch search)
        => [.. layers.Select(layer => layer.Given is { } given ? given : Of(layer.Decomposition))];

    protected abstract RankChoice Of(Decomposition decomposition);
}

/// <summary>A share of the energy.</summary>
internal sealed class EnergyRank(double share) : LayerRank
{
    public override string ToString() => Notation.Call(nameof(Energy), share);

    protected override RankChoice Of(Decomposition decomposition) => decomposition.Keeping(share);
}

/// <summary>A share of the greatest rank.</summary>
internal sealed class FractionRank(double share) : LayerRank
{
    public override string ToString() => Notation.Call(nameof(Fraction), share);

    protected override RankChoice Of(Decomposition decomposition) => decomposition.Fraction(share);
}

/// <summary>The same for all.</summary>
internal sealed class FixedRank(int rank) : LayerRank
{
    public override string ToString() => Notation.Call(nameof(Fixed), rank);

    protected override RankChoice Of(Decomposition decomposition) => rank <= decomposition.Full.Max() ? decomposition.Of(rank)
        : RankChoice.None($"its greatest rank is {decomposition.Full.Max()}, below {rank}");
}

/// <summary>What rises above noise.</summary>
internal sealed class NoiseRank : LayerRank
{
    public override string ToString() => nameof(Vbmf);

    protected override RankChoice Of(Decomposition decomposition) => decomposition.AboveNoise() is { } ranks ? ranks
        : RankChoice.None("nothing in its weight rises above noise");
}

/// <summary>One layer as it is given, the others by a rule.</summary>
internal sealed class GivenRank(Rank others, string name, int rank) : Rank
{
    internal override Budget? Budget => others.Budget;

    public override string ToString() => $"{others}.{Notation.Call(nameof(For), name, rank)}";

    internal override IReadOnlyList<RankChoice> Choose(IReadOnlyList<RankedLayer> layers, RankSearch search)
    {
        var named = Scope.Parameters(name).Choose(layers, layer => (layer.Layer.Name, layer.Layer.Weight.Name)).Single();
        var full = named.Decomposition.Full;
        return rank <= full.Max()
            ? others.Choose([.. layers.Select(layer => layer == named ? layer with { Given = layer.Given ?? layer.Decomposition.Of(rank) } : layer)], search)
            : throw new ArgumentException($"The rank of layer '{named.Layer.Name}' is {rank} by {this}; expected at most {RankedLayer.Text(full)}, its "
                + "greatest.");
    }
}
