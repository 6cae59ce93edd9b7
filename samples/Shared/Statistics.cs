namespace MLNet.Pruning.Samples;

/// <summary>Figures of several seeds in one.</summary>
internal static class Statistics
{
    /// <summary>Mean and standard deviation of a sample; 0 for one seed.</summary>
    public static (double Mean, double Spread) Spread(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.Average();
        return (mean, all.Length < 2 ? 0 : Math.Sqrt(all.Sum(value => (value - mean) * (value - mean)) / (all.Length - 1)));
    }

    /// <param name="values">Enumerated once: they may be measured as they are.</param>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
