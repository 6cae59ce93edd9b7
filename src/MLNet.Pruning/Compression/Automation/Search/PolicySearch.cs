namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>Fits a small policy over layers by the cross-entropy method.</summary>
internal sealed class PolicySearch : SearchStrategy
{
    private const int Features = 7;
    private const double Elite = 0.25;
    private const double FirstSpread = 4;
    private const double LeastSpread = 0.5;

    /// <summary>
    /// Spread of what is added to actions, so that layers are tried out by themselves, and what is left of it from iteration to iteration; as in the paper.
    /// </summary>
    private const double FirstNoise = 0.5;
    private const double NoiseLeft = 0.85;

    private readonly int _population;
    private readonly int _iterations;

    public PolicySearch(int population, int iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(population, 4);
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        (_population, _iterations) = (population, iterations);
    }

    public override string ToString() => Notation.Call(nameof(LearnedPolicy), _population, _iterations);

    internal override IEnumerable<int[]> Propose(SearchLog log)
    {
        var shares = Shares(log);
        var (mean, spread) = (new double[Features], Enumerable.Repeat(FirstSpread, Features).ToArray());
        for (var iteration = 0; iteration < _iterations; iteration++)
        {
            var tried = new List<(double[] Policy, SearchTrial Trial)>();
            for (var i = 0; i < _population; i++)
            {
                // The mean itself is one of them.
                double[] policy = [.. mean.Select((centre, w) => i == 0 ? centre : centre + spread[w] * Normal(log.Random))];
                var levels = Walk(log, policy, shares, i == 0 ? 0 : FirstNoise * Math.Pow(NoiseLeft, iteration));
                yield return levels;
                tried.Add((policy, log.Find(levels)!));
            }

            // Policies that come to the same network count once, or the first good one would crowd out all others.
            var elite = tried.DistinctBy(one => SearchLog.Key(one.Trial.Levels)).OrderBy(one => one.Trial, Comparer<SearchTrial>.Create(log.Compare))
                .Take(Math.Max(2, (int)(Elite * _population))).Select(one => one.Policy).ToArray();
            for (var w = 0; w < Features; w++)
            {
                mean[w] = elite.Average(policy => policy[w]);
                spread[w] = Math.Max(LeastSpread, Math.Sqrt(elite.Average(policy => Math.Pow(policy[w] - mean[w], 2))));
            }
        }
    }

    /// <summary>What each layer costs of the network: that which goes when it alone is at its last level, as shares.</summary>
    private static double[] Shares(SearchLog log)
    {
        var saved = log.Layers.Select((layer, l) =>
        {
            var levels = log.Dense;
            levels[l] = layer.Last;
            return Math.Max(0, log.Cost(log.Minimize, log.Dense) - log.Cost(log.Minimize, levels));
        }).ToArray();
        return [.. saved.Select(one => one / Math.Max(saved.Sum(), double.Epsilon))];
    }

    /// <summary>The level of each layer as the policy says, from the first to the last.</summary>
    private static int[] Walk(SearchLog log, double[] policy, double[] shares, double noise)
    {
        // What is not decided yet could be as small as can be.
        var levels = log.Smallest;
        var (action, reduced, rest) = (0.0, 0.0, 1.0);
        for (var layer = 0; layer < levels.Length; layer++)
        {
            rest -= shares[layer];
            double[] state = [1, (double)layer / Math.Max(1, levels.Length - 1), shares[layer], Math.Sqrt(shares[layer]), reduced, rest, action];
            action = 1 / (1 + Math.Exp(-policy.Zip(state, (weight, feature) => weight * feature).Sum()));
            action = Math.Clamp(action + noise * Normal(log.Random), 0, 1);
            levels[layer] = (int)Math.Round(action * log.Layers[layer].Last);
            while (log.CostExcess(levels) > 0 && levels[layer] < log.Layers[layer].Last)
            {
                levels[layer]++;
            }

            action = log.Layers[layer].Last == 0 ? 0 : (double)levels[layer] / log.Layers[layer].Last;
            reduced += action * shares[layer];
        }

        return levels;
    }

    /// <summary>Box and Muller 1958.</summary>
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
