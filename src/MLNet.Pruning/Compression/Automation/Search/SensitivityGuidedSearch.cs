namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>From layers measured alone to a path of networks, and from the best of them to its neighbours.</summary>
internal sealed class SensitivityGuidedSearch : SearchStrategy
{
    public override string ToString() => nameof(SensitivityGuided);

    internal override IEnumerable<int[]> Propose(SearchLog log)
    {
        foreach (var alone in LayersAlone.Of(log))
        {
            yield return alone;
        }

        var rises = Enumerable.Range(0, log.Layers.Count).Select(layer => Rises(log, layer)).ToArray();
        var path = Path(log, rises);
        var affordable = path.FindIndex(levels => log.CostExcess(levels) == 0);
        // Where time is short, even the smallest may exceed it by what the table says.
        var first = affordable >= 0 ? affordable : path.Count - 1;
        yield return path[first];
        if (log.BoundsMetric && log.Find(path[first])!.MetricExcess == 0)
        {
            // The metric falls along the path, or nearly so: the last network before it falls too far.
            var (low, high) = (first, path.Count);
            while (high - low > 1)
            {
                var middle = (low + high) / 2;
                yield return path[middle];
                (low, high) = log.Find(path[middle])!.Meets ? (middle, high) : (low, middle);
            }
        }

        for (var (from, improved) = (log.Best!, true); improved; improved = log.Best != from)
        {
            from = log.Best!;
            foreach (var levels in Neighbours(log, from, rises))
            {
                yield return levels;
                if (log.Best != from)
                {
                    break;
                }
            }
        }
    }

    /// <summary>
    /// How far each level of a layer alone raises the loss: the greatest convex function of the candidates dropped that lies nowhere above what was measured.
    /// </summary>
    private static double[] Rises(SearchLog log, int layer)
    {
        var (last, kept, rises) = (log.Layers[layer].Last, log.Layers[layer].Kept, LayersAlone.Rises(log, layer));
        var hull = (double[])rises.Clone();
        for (int from = 0, to; from < last; from = to)
        {
            double Slope(int level) => (rises[level] - rises[from]) / (kept[from] - kept[level]);
            to = Enumerable.Range(from + 1, last - from).MinBy(level => (Slope(level), -level));
            for (var level = from + 1; level < to; level++)
            {
                hull[level] = rises[from] + Slope(to) * (kept[from] - kept[level]);
            }
        }

        return hull;
    }

    /// <summary>
    /// Networks from the dense one to the smallest, one step of one layer between: always that which raises the loss least for what it saves.
    /// </summary>
    private static List<int[]> Path(SearchLog log, double[][] rises)
    {
        var levels = log.Dense;
        var path = new List<int[]> { (int[])levels.Clone() };
        var prices = levels.Select((_, layer) => Price(log, rises, levels, layer)).ToArray();
        while (prices.Any(price => !double.IsNaN(price)))
        {
            // What a step saves falls as others are taken, so that a price that is the least when it is renewed is the least of all.
            var layer = Cheapest();
            for (prices[layer] = Price(log, rises, levels, layer); Cheapest() is var other && other != layer; layer = other)
            {
                prices[other] = Price(log, rises, levels, other);
            }

            levels[layer]++;
            prices[layer] = Price(log, rises, levels, layer);
            path.Add((int[])levels.Clone());
        }

        return path;

        int Cheapest() => Enumerable.Range(0, prices.Length).Where(layer => !double.IsNaN(prices[layer])).MinBy(layer => prices[layer]);
    }

    /// <summary>Rise of the loss by the next step of a layer, for each unit of cost it saves; NaN where there is no next.</summary>
    private static double Price(SearchLog log, double[][] rises, int[] levels, int layer)
    {
        if (levels[layer] == log.Layers[layer].Last)
        {
            return double.NaN;
        }

        int[] next = [.. levels];
        next[layer]++;
        var (rise, saved) = (rises[layer][next[layer]] - rises[layer][levels[layer]], log.Cost(log.Minimize, levels) - log.Cost(log.Minimize, next));
        return saved > 0 ? rise / saved : double.MaxValue;
    }

    /// <summary>Networks within the costs in which one layer or two differ by a step, and which may be better; those that promise most first.</summary>
    private static IEnumerable<int[]> Neighbours(SearchLog log, SearchTrial from, double[][] rises)
    {
        var steps = from.Levels.SelectMany((_, layer) => new[] { (Layer: layer, Step: 1), (Layer: layer, Step: -1) }).ToArray();
        var moves = steps.Select(step => new[] { step }).Concat(steps.Where(step => step.Step > 0)
            .SelectMany(up => steps.Where(down => down.Step < 0 && down.Layer != up.Layer).Select(down => new[] { up, down })));
        return moves.Select(move =>
        {
            int[] levels = [.. from.Levels];
            foreach (var (layer, step) in move)
            {
                levels[layer] += step;
            }

            return levels;
        }).Where(levels => levels.Zip(log.Layers).All(pair => pair.First >= 0 && pair.First <= pair.Second.Last) && log.Find(levels) is null
            && log.CostExcess(levels) <= from.CostExcess)
            .Where(levels => !log.BoundsMetric || !from.Meets || log.Cost(log.Minimize, levels) < from.Size)
            .Select(levels => (Levels: levels, Rise: levels.Select((level, layer) => rises[layer][level]).Sum())).OrderBy(candidate => candidate.Rise)
            .Select(candidate => candidate.Levels);
    }
}
