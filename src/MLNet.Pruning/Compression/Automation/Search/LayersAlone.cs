namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Candidates in which one layer alone is pruned, and how far each level of it raises the loss.</summary>
internal static class LayersAlone
{
    /// <summary>All of them.</summary>
    public static IEnumerable<int[]> Of(SearchLog log) => from layer in Enumerable.Range(0, log.Layers.Count)
                                                          from level in Enumerable.Range(1, log.Layers[layer].Last)
                                                          select At(log, layer, level);

    /// <summary>How far each level of a layer alone raises the loss, by what was measured; never less than a level before it.</summary>
    public static double[] Rises(SearchLog log, int layer)
    {
        var rises = new double[log.Layers[layer].Last + 1];
        for (var level = 1; level < rises.Length; level++)
        {
            var loss = log.Find(At(log, layer, level))!.Validation.Loss;
            rises[level] = Math.Max(rises[level - 1], double.IsFinite(loss) ? loss - log.Before.Loss : double.MaxValue / 2);
        }

        return rises;
    }

    private static int[] At(SearchLog log, int layer, int level)
    {
        var levels = log.Dense;
        levels[layer] = level;
        return levels;
    }
}
