namespace MLNet.Pruning.Scoring;

/// <summary>How many rows are scored at a time where a view is read.</summary>
internal static class BatchSizes
{
    /// <summary>More make nothing faster.</summary>
    private const int Most = 256;

    /// <summary>Values that stay in a second-level cache from the reading of the rows to their scoring.</summary>
    private const int ValuesInCache = 1 << 16;

    /// <summary>Of large rows some go together all the same, up to a few megabytes.</summary>
    private const int ValuesInAll = 1 << 20;
    private const int FewRows = 8;

    /// <param name="values">Values of a row.</param>
    public static int Of(int values) => Math.Clamp(ValuesInCache / values, Math.Clamp(ValuesInAll / values, 1, FewRows), Most);
}
