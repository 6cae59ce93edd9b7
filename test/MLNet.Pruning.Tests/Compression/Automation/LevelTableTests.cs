using MLNet.Pruning.Compression.Automation.Search;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>Dynamic programming over levels against all assignments.</summary>
[TestClass]
public class LevelTableTests
{
    [TestMethod]
    public void Within_every_limit_the_choice_is_the_best_of_all_assignments()
    {
        var random = new Random(1);
        for (var repeat = 0; repeat < 200; repeat++)
        {
            // Small whole numbers, so that sums are exact and many choices tie; some layers have one level alone.
            var levels = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(1, 5)).ToArray();
            double[][] Table(int most) => [.. levels.Select(count => Enumerable.Range(0, count).Select(_ => (double)random.Next(most)).ToArray())];
            var (errors, costs) = (Table(repeat % 2 == 0 ? 4 : 100), Table(repeat % 3 == 0 ? 4 : 100));
            var all = All(levels).Select(one => (Levels: one, Cost: Sum(costs, one), Error: Sum(errors, one))).ToArray();
            var choices = LevelTable.Best(errors, costs);
            foreach (var limit in all.Select(one => one.Cost).Append(all.Min(one => one.Cost) - 1).Distinct())
            {
                var within = all.Where(one => one.Cost <= limit).ToArray();
                var best = choices.LastOrDefault(choice => choice.Cost <= limit);
                Assert.AreEqual(within.Length == 0, best is null);
                if (best is not null)
                {
                    var least = within.Min(one => one.Error);
                    Assert.AreEqual(least, best.Error);
                    Assert.AreEqual(within.Where(one => one.Error == least).Min(one => one.Cost), best.Cost);
                    Assert.AreEqual((best.Error, best.Cost), (Sum(errors, best.Levels()), Sum(costs, best.Levels())));
                }
            }
        }
    }

    [TestMethod]
    public void Of_more_choices_than_are_kept_each_costs_what_it_says_and_errs_hardly_more()
    {
        // With costs of 3^layer no two choices tie, and the least error within a limit is that of the greatest cost within it.
        const int Layers = 12;
        double[][] costs = [.. Enumerable.Range(0, Layers).Select(layer => new[] { 0, 1, 2 }.Select(level => level * Math.Pow(3, layer)).ToArray())];
        double[][] errors = [.. costs.Select(layer => Array.ConvertAll(layer, cost => -cost))];
        var choices = LevelTable.Best(errors, costs);
        var whole = Math.Pow(3, Layers) - 1;
        Assert.AreEqual(whole, choices[^1].Cost);
        Assert.AreEqual(0, choices[0].Cost);
        foreach (var limit in new[] { 1000, 12_345, 265_720, 531_439 })
        {
            var best = choices.Last(choice => choice.Cost <= limit);
            Assert.AreEqual(best.Cost, Sum(costs, best.Levels()));
            Assert.IsGreaterThan(limit - Layers * whole / 4000, best.Cost);
        }
    }

    private static double Sum(double[][] table, int[] levels) => levels.Select((level, layer) => table[layer][level]).Sum();

    private static IEnumerable<int[]> All(int[] levels) => levels.Aggregate((IEnumerable<int[]>)[[]],
        (all, count) => all.SelectMany(one => Enumerable.Range(0, count).Select(level => (int[])[.. one, level])));
}
