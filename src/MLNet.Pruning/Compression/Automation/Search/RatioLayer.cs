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

    /// <summary>The levels for shares asked for.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="parameter">Name of the weight.</param>
    /// <param name="total">Candidates it has.</param>
    /// <param name="now">Those that are not dropped yet.</param>
    /// <param name="sparsities">Shares of all candidates.</param>
    /// <param name="multiple">What the number left is rounded to a multiple of, at least one.</param>
    public static RatioLayer Of(string layer, string parameter, long total, long now, IEnumerable<double> sparsities, int multiple = 1)
    {
        long Left(double sparsity)
        {
            var exact = total - (long)Math.Round(sparsity * total, MidpointRounding.ToEven);
            return Math.Max(multiple, (exact + multiple / 2) / multiple * multiple);
        }

        return new(layer, parameter, total, [now, .. sparsities.Select(Left).Where(kept => kept < now).Distinct().OrderDescending()]);
    }
}
