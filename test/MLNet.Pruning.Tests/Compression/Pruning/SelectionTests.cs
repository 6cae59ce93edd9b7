using FsCheck;
using FsCheck.Fluent;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Pruning;

[TestClass]
public class SelectionTests
{
    /// <summary>Against sorting, over several parameters with many ties and weights dropped before.</summary>
    [TestMethod]
    public void What_works_on_rows_is_refused_by_a_network_without_any()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        foreach (var (name, options) in new Dictionary<string, PruningOptions>
        {
            ["Recovery"] = new() { Recovery = Recovery.LowRank(1) }, ["FineTuneEpochs"] = new() { FineTuneEpochs = 1 },
            ["Training"] = new() { Training = SparseTraining.Soft() }, ["FineTuning"] = new() { FineTuning = new() },
            ["Rewind"] = new() { Rewind = Rewind.ToInitial },
            ["Tolerance"] = new() { Tolerance = 0.1 }, ["Metric"] = new() { Metric = Metric.Accuracy },
        })
        {
            var half = options with { Amount = Amount.Fraction(0.5) };
            foreach (var prune in new Action[] { () => network.Prune(half), () => network.Prune(half, out _), () => new[] { network }.PruneTogether(half) })
            {
                StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(prune).Message, $"{name} works on rows");
            }
        }

        var pruned = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), FineTuneEpochs = 0 }).Network;
        Assert.AreEqual(9, pruned.Parameters.Where(parameter => parameter.Shape.Length == 2)
            .Sum(parameter => parameter.Values.ToArray().Count(value => value != 0)));
    }

    [TestMethod]
    public void Global_selection_drops_what_a_stable_sort_would()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var network = Random(random, ties: random.Next(2) == 0);
            var first = random.Next((int)network.Parameters.Sum(p => p.Count) + 1);
            var before = network.Prune(Amount.Count(first), Importance.Random(seed), scope: All(network));
            var second = random.Next((int)before.Masks.Values.Sum(mask => mask.Kept) + 1);
            var after = before.Prune(Amount.Count(second).OfRemaining(), scope: All(network));

            var left = network.Parameters.SelectMany(p => Enumerable.Range(0, p.Count).Where(i => before.Masks[p.Name][i])
                .Select(i => (p.Name, Index: i, Score: Math.Abs(p.Values[i]))))
                .OrderBy(weight => weight.Score).ToArray();
            Assert.AreEqual(first, network.Parameters.Sum(p => p.Count) - left.Length);
            var kept = left.Skip(second).Select(weight => (weight.Name, weight.Index)).ToHashSet();
            foreach (var parameter in network.Parameters)
            {
                for (var i = 0; i < parameter.Count; i++)
                {
                    Assert.AreEqual(kept.Contains((parameter.Name, i)), after.Masks[parameter.Name][i], $"{parameter}[{i}]");
                }
            }
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    public void Selection_across_segments_drops_what_sorting_would()
    {
        // More than one segment of 2^23 weights, with ties across their border.
        const int Count = (1 << 23) + 1_000_003;
        var random = new Random(4);
        var values = new float[Count];
        for (var i = 0; i < Count; i++)
        {
            values[i] = random.Next(-500, 500) / 100f;
        }

        var network = Holding(("w", values));
        const int Drop = 7_654_321;
        var mask = network.Prune(Amount.Count(Drop), scope: Scope.Parameters("w")).Masks["w"];
        var magnitudes = values.Select(Math.Abs).ToArray();
        Array.Sort(magnitudes);
        var threshold = magnitudes[Drop - 1];
        var ties = Drop - values.Count(value => Math.Abs(value) < threshold);
        for (var i = 0; i < Count; i++)
        {
            var magnitude = Math.Abs(values[i]);
            var dropped = magnitude < threshold || (magnitude == threshold && ties-- > 0);
            if (mask[i] == dropped)
            {
                Assert.Fail($"weight {i} of magnitude {magnitude}: dropped {!mask[i]}, expected {dropped}");
            }
        }
    }

    [TestMethod]
    public void Thresholds_drop_what_lies_below()
    {
        var network = Holding(("a", [1, -2, 3, -4]), ("b", [10, 20, 30, 60]));
        var scope = Scope.Parameters("a", "b");
        CollectionAssert.AreEqual(new[] { false, false, true, true }, network.Prune(Amount.Below(3), scope: scope).Masks["a"].ToArray());
        // Against the layer's own mean (2.5 and 30) and maximum (4 and 60), though the scope is the network.
        var mean = network.Prune(Amount.BelowMean(1), scope: scope);
        CollectionAssert.AreEqual(new[] { false, false, true, true }, mean.Masks["a"].ToArray());
        CollectionAssert.AreEqual(new[] { false, false, true, true }, mean.Masks["b"].ToArray());
        var maximum = network.Prune(Amount.BelowMaximum(0.5), scope: scope);
        CollectionAssert.AreEqual(new[] { false, true, true, true }, maximum.Masks["a"].ToArray());
        CollectionAssert.AreEqual(new[] { false, false, true, true }, maximum.Masks["b"].ToArray());
    }

    [TestMethod]
    public void Structured_thresholds_look_at_slices()
    {
        var network = Network.Mlp(2, 3).Initialize(0).With("fc1.weight", [3, 4, 0.3f, 0.4f, 6, 8]);
        var mask = network.Prune(Amount.BelowMaximum(0.2), Importance.L2, Granularity.Row).Masks["fc1.weight"];
        CollectionAssert.AreEqual(new[] { true, true, false, false, true, true }, mask.ToArray());
    }

    [TestMethod]
    public void Layer_scope_takes_the_share_of_every_layer()
    {
        var pruned = Network.Mlp(20, 10, 5).Initialize(1).Prune(Amount.Fraction(0.3), scope: Scope.Layer);
        Assert.AreEqual(140, pruned.Masks["fc1.weight"].Kept);
        Assert.AreEqual(35, pruned.Masks["fc2.weight"].Kept);
        Assert.AreEqual(2, pruned.Masks.Count, "biases are left alone");
    }

    [TestMethod]
    public void Scopes_leave_out_and_single_out_layers()
    {
        var network = Network.Mlp(20, 10, 5, 3).Initialize(1);
        CollectionAssert.AreEquivalent(new[] { "fc1.weight", "fc2.weight" },
            network.Prune(Amount.Fraction(0.5), scope: Scope.Network.Except("fc3")).Masks.Keys.ToArray());
        CollectionAssert.AreEquivalent(new[] { "fc2.weight" }, network.Prune(Amount.Fraction(0.5), scope: Scope.Layer.Only("fc2")).Masks.Keys.ToArray());
        CollectionAssert.AreEquivalent(new[] { "fc1.bias" }, network.Prune(Amount.Fraction(0.5), scope: Scope.Parameters("fc1.bias")).Masks.Keys.ToArray());
    }

    [TestMethod]
    public void Granularities_choose_their_layers()
    {
        var network = Network.Sequential([2, 6, 6], Layer.Conv2d(4, 3), Layer.Flatten(), Layer.Dense(6)).Initialize(1);
        var filters = network.Prune(Amount.Fraction(0.5), granularity: Granularity.Filter).Network;
        Assert.AreEqual((2, 32), (filters["conv1.weight"].Shape[0], filters["fc1.weight"].Shape[1]));
        Assert.AreEqual(2 * 18, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Slice(0), scope: Scope.Layer).Masks["conv1.weight"].Kept);
        Assert.AreEqual(4 * 9, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Slice(1), scope: Scope.Layer).Masks["conv1.weight"].Kept);
        Assert.AreEqual(3 * 64, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Row).Masks["fc1.weight"].Kept);
        Assert.AreEqual(6 * 32, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Column).Masks["fc1.weight"].Kept);
    }

    [TestMethod]
    public void Random_importance_is_seeded_and_uniform()
    {
        var network = Network.Mlp(100, 100, 2).Initialize(1);
        PrunedNetwork Pruned(int seed) => network.Prune(Amount.Fraction(0.5), Importance.Random(seed), scope: Scope.Layer.Only("fc1"));
        CollectionAssert.AreEqual(Pruned(1).Masks["fc1.weight"].ToArray(), Pruned(1).Masks["fc1.weight"].ToArray());
        CollectionAssert.AreNotEqual(Pruned(1).Masks["fc1.weight"].ToArray(), Pruned(2).Masks["fc1.weight"].ToArray());
        var scores = new float[10_000];
        Importance.Random(3).Measure(new(network.Prune(Amount.Count(0)))).ScoreWeights(network["fc1.weight"], 0, scores);
        // Chi-squared over ten bins, 9 degrees of freedom: 27.9 is passed once in a thousand.
        var counts = scores.GroupBy(score => (int)(score * 10)).ToDictionary(group => group.Key, group => group.Count());
        Assert.IsTrue(Enumerable.Range(0, 10).Sum(bin => Math.Pow(counts.GetValueOrDefault(bin) - 1000, 2) / 1000) < 27.9);
    }

    [TestMethod]
    public void A_criterion_of_ones_own_needs_one_class()
    {
        var network = Network.Mlp(3, 2).Initialize(1);
        var mask = network.Prune(Amount.Count(2), new Position()).Masks["fc1.weight"].ToArray();
        CollectionAssert.AreEqual(new[] { true, true, true, true, false, false }, mask, "the last positions are the least important");
        CollectionAssert.AreEqual(new[] { true, true, false, true, true, false },
            network.Prune(Amount.Count(1), new Position(), Granularity.Column).Masks["fc1.weight"].ToArray());
    }

    [TestMethod]
    public void Importance_that_is_not_a_number_is_refused()
    {
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => Holding(("w", [1, float.NaN, 2])).Prune(Amount.Count(1), scope: Scope.Parameters("w")));
        StringAssert.Contains(e.Message, "'w'");
    }

    [TestMethod]
    public void Bad_amounts_and_names_are_refused()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Amount.Fraction(1.1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Amount.Fraction(double.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Amount.Below(double.PositiveInfinity));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.Magnitude(double.NaN));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Count(19))).Message, "19");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5), scope: Scope.Network.Except("fc12"))).Message,
            "Nearest: 'fc1'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5), granularity: Granularity.Filter)).Message,
            "No layer can be pruned");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            network.Prune(Amount.Fraction(0.5), scope: Scope.Network.Except("fc1", "fc2"))).Message, "No layer can be pruned");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            network.Prune(Amount.Fraction(0.5), granularity: Granularity.Row, scope: Scope.Parameters("fc1.bias"))).Message, "fc1.bias");
        Assert.ThrowsExactly<ArgumentException>(() => network.WithMask("fc1.weight", new WeightMask([true])));
    }

    private static Scope All(Network network) => Scope.Parameters([.. network.Parameters.Select(parameter => parameter.Name)]);

    private static Network Random(Random random, bool ties) => Holding([.. Enumerable.Range(0, random.Next(1, 4)).Select(p => ($"p{p}",
        Enumerable.Range(0, random.Next(1, 200)).Select(_ => ties ? random.Next(-3, 4) : (float)(random.NextDouble() - 0.5)).ToArray()))]);

    private static Network Holding(params (string Name, float[] Values)[] parameters) => new(new TensorInfo("input", [-1, 1]), "out",
        [new Node("identity", "Relu", ["input"], ["out"])],
        parameters.Select(parameter => new Parameter(parameter.Name, [parameter.Values.Length], parameter.Values, true, Initializer.Zero)));

    private sealed class Position : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context) => ImportanceScores.OfWeights("position", (_, start, scores) =>
        {
            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = -(start + i);
            }
        });
    }
}
