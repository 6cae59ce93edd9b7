namespace MLNet.Pruning.Compression.Factorization;

/// <summary>Spreads a budget over layers.</summary>
internal static class RankAllocation
{
    /// <summary>
    /// From all layers as they are to each at its least cost: every step takes one layer on, that which loses least for what it saves. Each step is the
    /// best there is at its cost, by the argument of Lagrange multipliers (Everett 1963): no other choice costs as little and loses less.
    /// </summary>
    /// <param name="layers">Cost and loss of each level of each layer, from the greatest cost to the least.</param>
    public static IReadOnlyList<int[]> Sequence(IReadOnlyList<IReadOnlyList<(double Cost, double Lost)>> layers)
    {
        var steps = layers.SelectMany((levels, layer) => Hull(levels).Select(step => (layer, step.To, step.Slope))).OrderBy(step => step.Slope);
        var at = new int[layers.Count];
        var sequence = new List<int[]> { (int[])at.Clone() };
        foreach (var (layer, to, _) in steps)
        {
            at[layer] = to;
            sequence.Add((int[])at.Clone());
        }

        return sequence;
    }

    /// <summary>Spends what a budget leaves: while some layer at a better level is still within it, the one that gains most.</summary>
    public static int[] Fill(IReadOnlyList<IReadOnlyList<(double Cost, double Lost)>> layers, int[] levels, Func<int[], bool> isWithin)
    {
        while (true)
        {
            int[] With(int layer, int level) => [.. levels.Select((old, l) => l == layer ? level : old)];
            var better = layers.SelectMany((all, layer) => all.Select((level, i) => (Gain: all[levels[layer]].Lost - level.Lost, Layer: layer, Level: i)))
                .Where(change => change.Gain > 0).OrderByDescending(change => change.Gain).Select(change => With(change.Layer, change.Level))
                .FirstOrDefault(isWithin);
            if (better is null)
            {
                return levels;
            }

            levels = better;
        }
    }

    /// <summary>The levels on the lower convex hull of loss over cost, behind the first, with the loss for what each saves.</summary>
    private static IEnumerable<(int To, double Slope)> Hull(IReadOnlyList<(double Cost, double Lost)> levels)
    {
        double Slope(int from, int to) => (levels[to].Lost - levels[from].Lost) / (levels[from].Cost - levels[to].Cost);
        for (var at = 0; at < levels.Count - 1;)
        {
            var from = at;
            var cheaper = Enumerable.Range(from + 1, levels.Count - from - 1).Where(level => levels[level].Cost < levels[from].Cost).ToArray();
            if (cheaper.Length == 0)
            {
                yield break;
            }

            // Of those that lie on one line the last.
            at = cheaper.Reverse().MinBy(level => Slope(from, level));
            yield return (at, Slope(from, at));
        }
    }
}
