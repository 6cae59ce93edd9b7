namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Evolves candidates by crossover and steps of single layers.</summary>
internal sealed class EvolutionarySearch : SearchStrategy
{
    /// <summary>Chance that a layer takes any level rather than the next or the one before.</summary>
    private const double AnyLevel = 0.2;

    private readonly int _population;
    private readonly int _generations;

    public EvolutionarySearch(int population, int generations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(population, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(generations, 1);
        (_population, _generations) = (population, generations);
    }

    public override string ToString() => Notation.Call(nameof(Evolutionary), _population, _generations);

    internal override IEnumerable<int[]> Propose(SearchLog log)
    {
        var people = new List<SearchTrial>();
        for (var i = 0; i < _population; i++)
        {
            // Half of the first are alike in all layers, half are drawn.
            var levels = Affordable(log, i % 2 == 0 ? log.Uniform(1 + i / 2 % Math.Max(1, log.Layers.Max(layer => layer.Last)))
                : [.. log.Layers.Select(layer => log.Random.Next(layer.Last + 1))]);
            yield return levels;
            people.Add(log.Find(levels)!);
        }

        for (var generation = 1; generation < _generations; generation++)
        {
            var parents = people.DistinctBy(one => SearchLog.Key(one.Levels)).Order(Comparer<SearchTrial>.Create(log.Compare)).Take((_population + 1) / 2)
                .ToList();
            people = [.. parents];
            for (var i = 0; i < _population; i++)
            {
                var child = Child(log, parents);
                yield return child;
                people.Add(log.Find(child)!);
            }
        }
    }

    private static int[] Child(SearchLog log, List<SearchTrial> parents)
    {
        var (mother, father) = (Parent(), Parent());
        var levels = log.Layers.Select((_, layer) => (log.Random.Next(2) == 0 ? mother : father).Levels[layer]).ToArray();
        // One layer changes for sure, and each other with the same chance as one in all.
        var sure = log.Random.Next(levels.Length);
        for (var layer = 0; layer < levels.Length; layer++)
        {
            if (layer == sure || log.Random.Next(levels.Length) == 0)
            {
                levels[layer] = log.Random.NextDouble() < AnyLevel ? log.Random.Next(log.Layers[layer].Last + 1)
                    : Math.Clamp(levels[layer] + (log.Random.Next(2) == 0 ? -1 : 1), 0, log.Layers[layer].Last);
            }
        }

        return Affordable(log, levels);

        // The better of two: parents are sorted.
        SearchTrial Parent() => parents[Math.Min(log.Random.Next(parents.Count), log.Random.Next(parents.Count))];
    }

    /// <summary>Prunes random layers further until the limits on costs are met.</summary>
    private static int[] Affordable(SearchLog log, int[] levels)
    {
        while (log.CostExcess(levels) > 0)
        {
            var open = Enumerable.Range(0, levels.Length).Where(layer => levels[layer] < log.Layers[layer].Last).ToArray();
            if (open.Length == 0)
            {
                break;
            }

            levels[open[log.Random.Next(open.Length)]]++;
        }

        return levels;
    }
}
