namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>
/// Levels for all layers by the sums of their errors and costs, by dynamic programming over the layers: of two ways to choose those of the first layers, one
/// that costs no less and errs no less is dropped.
/// </summary>
internal static class LevelTable
{
    /// <summary>Ways that are gone on from; of more, the best within each so-manieth part of the range of costs.</summary>
    private const int Most = 4096;

    /// <summary>
    /// The choices that err less than all that cost no more, by rising cost: the last within a limit is the one of least error there. Exact as long as no more
    /// than 4,096 are left after a layer; then costs are told apart only to that part of their range, but are summed as they are. Work: as many x levels for
    /// each layer.
    /// </summary>
    /// <param name="errors">Of each layer at each of its levels; not NaN.</param>
    /// <param name="costs">As many, finite.</param>
    public static IReadOnlyList<LevelChoice> Best(IReadOnlyList<double[]> errors, IReadOnlyList<double[]> costs)
    {
        LevelChoice[] choices = [new(0, 0, 0, null)];
        foreach (var (layer, cost) in costs.Index())
        {
            choices = Thinned(Best(choices.SelectMany(choice => cost.Select((own, level)
                => new LevelChoice(choice.Cost + own, choice.Error + errors[layer][level], level, choice)))));
        }

        return choices;
    }

    private static LevelChoice[] Best(IEnumerable<LevelChoice> choices)
    {
        var best = new List<LevelChoice>();
        foreach (var choice in choices.OrderBy(choice => choice.Cost).ThenBy(choice => choice.Error))
        {
            if (best.Count == 0 || choice.Error < best[^1].Error)
            {
                best.Add(choice);
            }
        }

        return [.. best];
    }

    /// <summary>The first, and the last, which errs least, of each part.</summary>
    private static LevelChoice[] Thinned(LevelChoice[] choices)
    {
        if (choices.Length <= Most)
        {
            return choices;
        }

        var (least, part) = (choices[0].Cost, (choices[^1].Cost - choices[0].Cost) / (Most - 1));
        return [choices[0], .. choices.Skip(1).GroupBy(choice => (long)((choice.Cost - least) / part)).Select(group => group.Last())];
    }
}

/// <summary>A level for each of the first layers.</summary>
/// <param name="Cost">The sum of their costs.</param>
/// <param name="Error">The sum of their errors.</param>
/// <param name="Level">That of the last of them.</param>
/// <param name="Before">Those of the others.</param>
internal sealed record LevelChoice(double Cost, double Error, int Level, LevelChoice? Before)
{
    /// <summary>All levels, that of the first layer first.</summary>
    public int[] Levels()
    {
        var levels = new Stack<int>();
        for (var choice = this; choice is { Before: { } before }; choice = before)
        {
            levels.Push(choice.Level);
        }

        return [.. levels];
    }
}
