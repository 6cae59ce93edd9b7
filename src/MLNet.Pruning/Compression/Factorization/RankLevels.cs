namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A layer at one of its ranks.</summary>
/// <param name="Ranks">The ranks; null for the layer as it is.</param>
/// <param name="Parameters">Trained values.</param>
/// <param name="MultiplyAdds">Of a row, with every open size 1.</param>
/// <param name="Lost">What that loses, to be summed over layers.</param>
internal readonly record struct RankLevel(ImmutableArray<int>? Ranks, long Parameters, long MultiplyAdds, double Lost);

/// <summary>A layer as it is, and at ranks of which each loses more and costs less than the one before.</summary>
internal sealed class RankLevels
{
    private readonly RankLevel[] _levels;

    private RankLevels(RankedLayer layer, IEnumerable<RankLevel> levels) => (Layer, _levels) = (layer, [.. levels]);

    public RankedLayer Layer { get; }

    public int Count => _levels.Length;

    public RankLevel this[int level] => _levels[level];

    /// <summary>By the energy that is kept: the product over all layers is to be large (Kim et al. 2019, "Efficient Neural Network Compression").</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="most">Ranks at most, close together where they are small.</param>
    public static RankLevels Of(RankedLayer layer, int most)
    {
        RankLevel At(ImmutableArray<int> ranks) => new(ranks, layer.ParametersAt(ranks), layer.MultiplyAddsAt(ranks),
            -Math.Log(Math.Max(double.Epsilon, 1 - layer.Decomposition.Lost(ranks))));
        RankLevel[] asIs = [new(null, layer.Parameters, layer.MultiplyAdds, 0)];
        if (layer.Given is { } given)
        {
            return new(layer, layer.IsSmaller(given) ? [At(given)] : asIs);
        }

        var path = layer.Decomposition.Path(layer.IsSmaller).Where(layer.IsSmaller).ToArray();
        var places = path.Length <= most ? Enumerable.Range(0, path.Length) : Enumerable.Range(0, most)
            .Select(i => path.Length - (int)Math.Round(Math.Pow(path.Length, 1 - i / (most - 1.0)))).Distinct();
        return new(layer, asIs.Concat(places.Select(place => At(path[place]))));
    }

    /// <summary>With other losses.</summary>
    public RankLevels Losing(Func<int, double> lost) => new(Layer, _levels.Select((level, i) => level with { Lost = lost(i) }));
}
