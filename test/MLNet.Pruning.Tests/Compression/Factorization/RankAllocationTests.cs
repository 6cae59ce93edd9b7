using MLNet.Pruning.Compression.Factorization;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Compression.Factorization;

/// <summary>Ranks within a budget.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class RankAllocationTests
{
    [TestMethod]
    public void No_other_choice_costs_as_little_and_loses_less()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            // Costs fall and losses rise, not always by more and more.
            var layers = Enumerable.Range(0, 4).Select(_ =>
            {
                var (cost, lost) = (100.0, 0.0);
                return (IReadOnlyList<(double Cost, double Lost)>)[.. Enumerable.Range(0, 6).Select(level => level == 0 ? (cost, lost)
                    : (cost -= random.Next(1, 20), lost += random.NextDouble()))];
            }).ToArray();
            var all = Choices(layers).Select(at => (Cost: Sum(layers, at, level => level.Cost), Lost: Sum(layers, at, level => level.Lost))).ToArray();
            var sequence = RankAllocation.Sequence(layers);
            CollectionAssert.AreEqual(new[] { 0, 0, 0, 0 }, sequence[0]);
            CollectionAssert.AreEqual(new[] { 5, 5, 5, 5 }, sequence[^1]);
            foreach (var at in sequence)
            {
                var (cost, lost) = (Sum(layers, at, level => level.Cost), Sum(layers, at, level => level.Lost));
                Assert.IsFalse(all.Any(other => other.Cost <= cost + 1e-9 && other.Lost < lost - 1e-9), $"seed {seed}: {string.Join(' ', at)}");
            }

            // Between two steps what is left is spent.
            var most = sequence[2] is var step ? Sum(layers, step, level => level.Cost) + 3 : 0;
            var filled = RankAllocation.Fill(layers, sequence.First(at => Sum(layers, at, level => level.Cost) <= most),
                at => Sum(layers, at, level => level.Cost) <= most);
            Assert.IsLessThanOrEqualTo(most, Sum(layers, filled, level => level.Cost));
            Assert.IsFalse(Choices(layers).Any(at => at.Zip(filled).Count(pair => pair.First != pair.Second) == 1
                && Sum(layers, at, level => level.Cost) <= most && Sum(layers, at, level => level.Lost) < Sum(layers, filled, level => level.Lost) - 1e-9));
        }
    }

    [TestMethod]
    public void A_network_keeps_to_parameters_and_keeps_more_energy_than_a_share_for_all()
    {
        var network = Decaying(Network.Mlp(60, 80, 50, 10).Initialize(3));
        foreach (var share in new[] { 0.3, 0.6 })
        {
            var uniform = network.Factorize(new() { Factorizer = Factorizer.Svd, Rank = Rank.Fraction(share) }, out var same);
            var small = network.Factorize(new() { Factorizer = Factorizer.Svd, Rank = Rank.Within(Budget.Parameters(uniform.ParameterCount)) }, out var layers);
            Assert.IsLessThanOrEqualTo(uniform.ParameterCount, small.ParameterCount);
            // No further rank of the layer of the least cost fits.
            Assert.IsGreaterThan(uniform.ParameterCount - 140, small.ParameterCount);
            Assert.IsGreaterThanOrEqualTo(same.Aggregate(1.0, (product, layer) => product * (layer.Energy ?? 1)),
                layers.Aggregate(1.0, (product, layer) => product * (layer.Energy ?? 1)));
        }
    }

    [TestMethod]
    public void A_network_keeps_to_multiply_adds_bytes_and_both()
    {
        var network = Network.Sequential([3, 16, 16], Layer.Conv2d(32, 3, padding: 1), Layer.Relu(), Layer.Conv2d(32, 3, padding: 1), Layer.Relu(),
            Layer.MaxPool(4), Layer.Flatten(), Layer.Dense(64), Layer.Relu(), Layer.Dense(10)).Initialize(2);
        var factorizer = Factorizer.Tucker2 + Factorizer.Svd;
        foreach (var budget in new[] { Budget.MultiplyAdds(1_200_000), Budget.Bytes(60_000), Budget.MultiplyAdds(1_500_000) + Budget.Parameters(20_000) })
        {
            var small = network.Factorize(factorizer, Rank.Within(budget));
            foreach (var limit in budget.Limits)
            {
                var cost = limit.Measure switch
                {
                    CostMeasure.Bytes => SmallNetworks.Bytes(small).Length,
                    CostMeasure.MultiplyAdds => NetworkCost.Of(small).Total.MultiplyAdds!.Value,
                    _ => small.ParameterCount,
                };
                Assert.IsLessThanOrEqualTo(limit.Most, cost, budget.ToString());
                Assert.IsTrue(budget.Limits.Length > 1 || cost > 0.9 * limit.Most, budget.ToString());
            }
        }
    }

    /// <summary>Not beside other tests: it is timed. The least rank takes a hundredth of the time, and an eighth is asked for.</summary>
    [TestMethod, DoNotParallelize]
    public void A_network_is_as_fast_as_asked_for()
    {
        var network = Network.Mlp(1024, 1024, 10).Initialize(1);
        var small = network.Factorize(Factorizer.Svd, Rank.Within(Budget.LatencyFraction(0.125, batch: 64)).For("fc2", 5));
        Assert.IsLessThan(0.5 * network.MultiplyAdds(), small.MultiplyAdds());
        var unchanged = network.Factorize(new() { Factorizer = Factorizer.Svd, Rank = Rank.Within(Budget.Latency(1e6)) }, out var layers);
        Assert.AreEqual(network.ParameterCount, unchanged.ParameterCount);
        Assert.Contains("the budget leaves it as it is", layers[0].Reason!);
    }

    [TestMethod]
    public void What_no_rank_meets_is_refused_by_layer()
    {
        var network = Network.Mlp(60, 80, 50, 10).Initialize(3);
        var error = Assert.ThrowsExactly<UnreachableBudgetException>(() => network.Factorize(Factorizer.Svd, Rank.Within(Budget.Parameters(200))));
        // 60 + 80, 80 + 50 and 50 + 10 values at a rank of 1, and biases.
        Assert.AreEqual(140 + 130 + 60 + 140 - 200, error.Missing);
        CollectionAssert.AreEqual(new[] { "fc1", "fc2", "fc3" }, error.Layers.Select(layer => layer.Layer).ToArray());
        Assert.Contains("validation rows", Assert.ThrowsExactly<InvalidOperationException>(() =>
            network.Factorize(Factorizer.Svd, Rank.Within(Budget.MetricLoss(0.01)))).Message);
        Assert.Contains("validation rows", Assert.ThrowsExactly<InvalidOperationException>(() =>
            network.Factorize(Factorizer.Svd, Rank.BySensitivity(Budget.Parameters(2000)))).Message);
        Assert.Contains("trees", Assert.ThrowsExactly<ArgumentException>(() => Rank.Within(Budget.Trees(3))).Message);
    }

    /// <summary>The network with weights whose columns get smaller and smaller, each layer's at its own pace.</summary>
    private static Network Decaying(Network network) => new[] { ("fc1.weight", 0.9), ("fc2.weight", 0.99), ("fc3.weight", 0.8) }.Aggregate(network,
        (changed, layer) => changed.With(layer.Item1, [.. changed[layer.Item1].Values.ToArray()
            .Select((value, i) => value * (float)Math.Pow(layer.Item2, i % changed[layer.Item1].Shape[1]))]));

    private static double Sum(IReadOnlyList<IReadOnlyList<(double Cost, double Lost)>> layers, int[] at, Func<(double Cost, double Lost), double> of)
        => layers.Zip(at, (levels, level) => of(levels[level])).Sum();

    private static IEnumerable<int[]> Choices(IReadOnlyList<IReadOnlyList<(double Cost, double Lost)>> layers)
        => layers.Aggregate((IEnumerable<int[]>)[[]], (all, levels) => all.SelectMany(at => Enumerable.Range(0, levels.Count)
            .Select(level => (int[])[.. at, level])));
}
