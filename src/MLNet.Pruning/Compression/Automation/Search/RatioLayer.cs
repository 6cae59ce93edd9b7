using MLNet.Pruning.Compression.Pruning;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>A layer whose sparsity is searched for.</summary>
/// <param name="Layer">Its name.</param>
/// <param name="Parameter">Name of the weight it is pruned in.</param>
/// <param name="Total">Candidates it has, those dropped before included.</param>
/// <param name="Kept">Candidates left at each level, falling; at level 0 as many as there are now, and never none.</param>
internal sealed record RatioLayer(string Layer, string Parameter, long Total, IReadOnlyList<long> Kept)
{
    /// <summary>The last level.</summary>
    public int Last => Kept.Count - 1;

    /// <summary>Share of the candidates that are gone.</summary>
    public double Sparsity(int level) => 1 - (double)Kept[level] / Total;

    /// <summary>The levels for shares requested.</summary>
    /// <param name="pool">The layer's candidates.</param>
    /// <param name="sparsities">Shares of all of them.</param>
    public static RatioLayer Of(CandidatePoolSize pool, IEnumerable<double> sparsities)
    {
        var ((layer, parameter), now, multiple) = (pool.Members[0], pool.Total - pool.Gone, pool.Multiple);
        long Left(double sparsity)
        {
            var exact = pool.Total - Amount.Rounded(sparsity, pool.Total);
            return Math.Max(multiple, (exact + multiple / 2) / multiple * multiple);
        }

        return new(layer, parameter, pool.Total, [now, .. sparsities.Select(Left).Where(kept => kept < now).Distinct().OrderDescending()]);
    }
}
