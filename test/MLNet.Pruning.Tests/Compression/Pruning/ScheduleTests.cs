namespace MLNet.Pruning.Tests.Compression.Pruning;

[TestClass]
public class ScheduleTests
{
    [TestMethod]
    public void Linear_goes_in_equal_parts() => Same([0.2, 0.4, 0.6, 0.8], Schedule.Linear(4).Sparsities(0, 0.8));

    [TestMethod]
    public void Cubic_follows_Zhu_and_Gupta()
        => Same([.. Enumerable.Range(1, 5).Select(t => 0.9 + (0.1 - 0.9) * Math.Pow(1 - t / 5.0, 3))], Schedule.Cubic(5).Sparsities(0.1, 0.9));

    [TestMethod]
    public void Geometric_keeps_the_same_share_each_step()
    {
        var density = Schedule.Geometric(6).Sparsities(0.2, 0.95).Select(sparsity => 1 - sparsity).Prepend(0.8).ToArray();
        var share = Math.Pow(0.05 / 0.8, 1 / 6.0);
        for (var i = 1; i < density.Length; i++)
        {
            Assert.AreEqual(share, density[i] / density[i - 1], 1e-12);
        }
    }

    [TestMethod]
    public void Iterative_prunes_a_share_of_what_is_left_until_the_target() => Same([0.2, 0.36, 0.488, 0.5], Schedule.Iterative(0.2).Sparsities(0, 0.5));

    [TestMethod]
    public void Custom_ends_at_the_target_and_skips_what_is_behind()
    {
        Same([0.5, 0.8, 0.9], Schedule.Custom(0.2, 0.5, 0.8).Sparsities(0.3, 0.9));
        Assert.ThrowsExactly<ArgumentException>(() => Schedule.Custom(0.5, 0.8).Sparsities(0, 0.6));
        Assert.ThrowsExactly<ArgumentException>(() => Schedule.Custom(0.8, 0.5));
        Assert.ThrowsExactly<ArgumentException>(() => Schedule.Custom(1));
    }

    /// <summary>Half of five is two, which is no reason to refuse a half that the user gave.</summary>
    [TestMethod]
    public void Custom_ends_at_a_target_that_was_rounded()
    {
        CollectionAssert.AreEqual(new long[] { 1, 2 }, Schedule.Custom(0.25, 0.5).Counts(0, 2, 5).ToArray());
        Assert.ThrowsExactly<ArgumentException>(() => Schedule.Custom(0.25, 0.51).Counts(0, 2, 5));
        var network = Network.Mlp(5, 5, 3).Initialize(1);
        var pruned = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Row, Scope = Scope.Layer,
            Schedule = Schedule.Custom(0.25, 0.5) });
        Assert.AreEqual(3 * 5, pruned.Masks["fc1.weight"].Kept);
    }

    [TestMethod]
    public void Every_schedule_rises_and_ends_exactly_at_the_target()
    {
        foreach (var schedule in new[] { Schedule.OneShot, Schedule.Linear(7), Schedule.Cubic(7), Schedule.Geometric(7), Schedule.Iterative(0.3),
            Schedule.Custom(0.4, 0.5) })
        {
            var sparsities = schedule.Sparsities(0.3, 0.95);
            Assert.AreEqual(0.95, sparsities[^1]);
            Assert.IsTrue(sparsities.Prepend(0.3).Zip(sparsities).All(pair => pair.First < pair.Second));
        }
    }

    [TestMethod]
    public void Steps_and_shares_out_of_range_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Schedule.Linear(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Schedule.Iterative(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Schedule.Iterative(double.NaN));
    }

    private static void Same(double[] expected, IReadOnlyList<double> actual)
    {
        Assert.AreEqual(expected.Length, actual.Count);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], 1e-12, $"step {i}");
        }
    }
}
