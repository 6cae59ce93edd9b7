namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>
/// The network with the least sum of its layers' errors within the costs (<see cref="LevelTable"/>): first by what the loss rises by with each layer alone at
/// each level; then by coefficients times the square of the share that goes, of which those are looked for whose network does best (Frantar &amp; Alistarh
/// 2022, "SPDY: Accurate Pruning with Speedup Guarantees", sections 3.2 and 3.3). What a layer alone costs the loss says little of what it costs along with
/// others: the coefficients only start there. As in the paper's code, some are drawn at random, and then ever fewer differ from the best, from a tenth of all
/// down.
/// </summary>
internal sealed class DynamicProgrammingSearch : SearchStrategy
{
    /// <summary>Halvings of the room between the smallest network and the first that is measured, where the metric is bounded.</summary>
    private const int Bisections = 10;

    /// <summary>Choices beyond the limit that are looked at whether they cost less than they seem to.</summary>
    private const int Next = 16;

    /// <summary>The least share of a coefficient's start, and the inverse of the greatest; those between are drawn by their logarithms.</summary>
    private const double Least = 0.01;

    /// <summary>Share of the coefficients that changes at a time, at first.</summary>
    private const double Changed = 0.1;

    private readonly int _candidates;

    public DynamicProgrammingSearch(int candidates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(candidates, 1);
        _candidates = candidates;
    }

    public override string ToString() => Notation.Call(nameof(DynamicProgramming), _candidates);

    internal override IEnumerable<int[]> Propose(SearchLog log)
    {
        foreach (var alone in LayersAlone.Of(log))
        {
            yield return alone;
        }

        var rises = Enumerable.Range(0, log.Layers.Count).Select(layer => LayersAlone.Rises(log, layer)).ToArray();
        double[] most = [.. rises.Select(layer => layer[^1])], best = [.. most.Select(rise => Math.Max(rise, Least * most.Max()))];
        var start = best;
        foreach (var levels in First(log, rises))
        {
            yield return levels;
        }

        for (var i = 0; i < _candidates; i++)
        {
            var coefficients = Drawn(log, start, best, (double)i / _candidates);
            double[][] errors = [.. log.Layers.Zip(coefficients, (layer, coefficient) => layer.Kept.Select(kept
                => coefficient * Math.Pow(1 - (double)kept / layer.Kept[0], 2)).ToArray())];
            var former = log.Best!;
            // Where the metric is bounded, only a smaller network is a better one.
            if (Within(log, errors, levels => log.CostExcess(levels) == 0 && (!log.BoundsMetric || !former.Meets
                || log.Cost(log.Minimize, levels) < former.Size)) is { } levels)
            {
                yield return levels;
                best = log.Best == former ? best : coefficients;
            }
        }
    }

    /// <summary>By the errors as they are: the network within the costs; where the metric is bounded, the smallest one that loses no more of it.</summary>
    private static IEnumerable<int[]> First(SearchLog log, double[][] rises)
    {
        if (Within(log, rises, levels => log.CostExcess(levels) == 0) is not { } first)
        {
            yield break;
        }

        yield return first;
        if (!log.BoundsMetric)
        {
            yield break;
        }

        var (low, high) = (log.Cost(log.Minimize, log.Smallest), log.Cost(log.Minimize, first));
        for (var i = 0; i < Bisections; i++)
        {
            var middle = (low + high) / 2;
            if (Within(log, rises, levels => log.CostExcess(levels) == 0 && log.Cost(log.Minimize, levels) <= middle) is not { } levels)
            {
                low = middle;
                continue;
            }

            yield return levels;
            (low, high) = log.Find(levels)!.Meets ? (low, middle) : (middle, high);
        }
    }

    /// <summary>The start, a third anywhere around it, then what is best with fewer and fewer others.</summary>
    private static double[] Drawn(SearchLog log, double[] start, double[] best, double done)
    {
        double Around(int layer) => start[layer] * Math.Pow(Least, 2 * log.Random.NextDouble() - 1);
        if (done == 0)
        {
            return start;
        }

        if (done < 1.0 / 3)
        {
            return [.. start.Select((_, layer) => Around(layer))];
        }

        var coefficients = (double[])best.Clone();
        for (var change = Math.Ceiling(Changed * best.Length * (1 - done) * 1.5); change > 0; change--)
        {
            var layer = log.Random.Next(best.Length);
            coefficients[layer] = Around(layer);
        }

        return coefficients;
    }

    /// <summary>
    /// The levels of the least sum of errors that are good enough. What layers cost is added up for it, which for structures that are removed is true only near
    /// the network whose layers it was counted in: that is first one whose layers are all at the same level, then the one found so.
    /// </summary>
    /// <returns>Null where not even the least cost is.</returns>
    private static int[]? Within(SearchLog log, double[][] errors, Func<int[], bool> isEnough)
    {
        var found = (int[]?)null;
        var among = Enumerable.Range(0, log.Layers.Max(layer => layer.Last) + 1).Select(log.Uniform).FirstOrDefault(isEnough, log.Smallest);
        for (var round = 0; round < 2; round++)
        {
            var choices = LevelTable.Best(errors, Costs(log, among));
            // By rising cost: from some choice on none is good enough, or one of the next few as far as sums are not what networks cost.
            var (low, high) = (-1, choices.Count);
            while (high - low > 1)
            {
                var middle = (low + high) / 2;
                (low, high) = isEnough(choices[middle].Levels()) ? (middle, high) : (low, middle);
            }

            found = choices.Skip(high).Take(Next).Reverse().Append(low >= 0 ? choices[low] : null).Select(choice => choice?.Levels())
                .FirstOrDefault(levels => levels is not null && isEnough(levels)) ?? found;
            among = found ?? among;
        }

        return found;
    }

    /// <summary>What each level of each layer adds to the costs that are limited, or to the one that is minimised, all others as they are.</summary>
    private static double[][] Costs(SearchLog log, int[] among) => [.. log.Layers.Select((layer, l) => Enumerable.Range(0, layer.Last + 1).Select(level =>
    {
        int[] levels = [.. among];
        levels[l] = level;
        return log.CostShare(levels);
    }).ToArray())];
}
