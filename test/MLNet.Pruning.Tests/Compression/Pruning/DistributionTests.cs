using FsCheck;
using FsCheck.Fluent;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>What each layer is left with: closed forms, and PyTorch and NumPy by test/peers/distributions.py.</summary>
[TestClass]
public class DistributionTests
{
    public static IEnumerable<object[]> Cases => Fixture.Read<DistributionFixture>("distributions").Cases.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Densities_and_LAMP_masks_equal_the_peers(string name)
    {
        var fixture = Fixture.Read<DistributionFixture>("distributions").Cases.Single(c => c.Name == name);
        var network = new Network(new TensorInfo("input", [-1, 1]), "out", [new Node("identity", "Relu", ["input"], ["out"])],
            fixture.Shapes.Select((shape, i) => new Parameter($"p{i}", [.. shape],
                fixture.Values?[i] ?? new float[shape.Aggregate(1, (product, size) => product * size)], true, Initializer.Zero)));
        var distribution = fixture.Kind switch { "erdos_renyi" => Distribution.ErdosRenyi, "erdos_renyi_kernel" => Distribution.ErdosRenyiKernel,
            _ => Distribution.Lamp };
        var scope = Scope.Distributed(distribution).Only([.. network.Parameters.Select(parameter => parameter.Name)]);
        var masks = network.Prune(Amount.Fraction(fixture.Sparsity), Importance.L1, scope: scope).Masks;
        var total = network.Parameters.Sum(parameter => (long)parameter.Count);
        Assert.AreEqual(total - (long)Math.Round(fixture.Sparsity * total, MidpointRounding.ToEven), masks.Values.Sum(mask => (long)mask.Kept),
            "the total is exact");
        for (var i = 0; i < fixture.Shapes.Length; i++)
        {
            if (fixture.Masks is not null)
            {
                CollectionAssert.AreEqual(fixture.Masks[i].Select(bit => bit == 1).ToArray(), masks[$"p{i}"].ToArray(), $"layer {i}");
            }
            else
            {
                Assert.AreEqual(fixture.Kept![i], masks[$"p{i}"].Kept, 1.0, $"layer {i} to rounding");
            }
        }
    }

    [TestMethod]
    public void Erdos_Renyi_is_n_in_plus_n_out_over_their_product()
    {
        // 100 x 50 and 50 x 20, no layer dense: nonzeros are epsilon (n_in + n_out), here 150 : 70 of 600.
        var masks = Network.Mlp(100, 50, 20).Initialize(1).Prune(Amount.Count(6000 - 660), scope: Scope.Distributed(Distribution.ErdosRenyi)).Masks;
        Assert.AreEqual(450, masks["fc1.weight"].Kept);
        Assert.AreEqual(210, masks["fc2.weight"].Kept);
    }

    [TestMethod]
    public void A_layer_that_would_be_denser_than_dense_stays_dense()
    {
        // 30 : 7 per epsilon; the second has ten weights, so that the first takes the rest.
        var masks = Network.Mlp(20, 10, 1).Initialize(1).Prune(Amount.Count(100), scope: Scope.Distributed(Distribution.ErdosRenyi)).Masks;
        Assert.AreEqual(10, masks["fc2.weight"].Kept);
        Assert.AreEqual(100, masks["fc1.weight"].Kept);
    }

    [TestMethod]
    public void Totals_are_exact_whatever_was_pruned_before()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var network = Network.Mlp(random.Next(1, 40), random.Next(1, 40), random.Next(1, 40), random.Next(1, 5)).Initialize(seed);
            var distribution = random.Next(4) switch
            {
                0 => Distribution.ErdosRenyi,
                1 => Distribution.ErdosRenyiKernel,
                2 => Distribution.Lamp,
                _ => Distribution.Given(new Dictionary<string, double> { ["fc1"] = random.NextDouble() * 0.99, ["fc2.weight"] = random.NextDouble() * 0.99,
                    ["fc3"] = 0 }),
            };
            var before = network.Prune(Amount.Fraction(random.NextDouble()), Importance.Random(seed));
            var left = before.Masks.Values.Sum(mask => mask.Kept);
            var drop = random.Next(left + 1);
            var after = before.Prune(Amount.Count(drop).OfRemaining(), scope: Scope.Distributed(distribution));
            Assert.AreEqual(left - drop, after.Masks.Values.Sum(mask => mask.Kept), distribution.ToString());
            Assert.IsTrue(after.Masks.All(mask => mask.Value.And(before.Masks[mask.Key]).Kept == mask.Value.Kept), "masks only shrink");
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    public void Given_sparsities_are_met_where_they_come_to_the_amount_and_scaled_where_not()
    {
        var network = Network.Mlp(100, 50, 20).Initialize(1);
        var scope = Scope.Distributed(Distribution.Given(new Dictionary<string, double> { ["fc1"] = 0.9, ["fc2.weight"] = 0.6 }));
        var own = network.Prune(Amount.Count(4500 + 600), scope: scope).Masks;
        Assert.AreEqual((500, 400), (own["fc1.weight"].Kept, own["fc2.weight"].Kept));
        var half = network.Prune(Amount.Count(6000 - 450), scope: scope).Masks;
        Assert.AreEqual((250, 200), (half["fc1.weight"].Kept, half["fc2.weight"].Kept));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            network.Prune(Amount.Fraction(0.5), scope: Scope.Distributed(Distribution.Given(new Dictionary<string, double> { ["fc1"] = 0.5 })))).Message,
                "'fc2'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5), scope: scope.Except("fc1"))).Message, "'fc1'");
        Assert.ThrowsExactly<ArgumentException>(() => Distribution.Given(new Dictionary<string, double> { ["fc1"] = 1 }));
        Assert.ThrowsExactly<ArgumentException>(() => Distribution.Given(new Dictionary<string, double>()));
    }

    [TestMethod]
    public void LAMP_of_slices_takes_their_norms()
    {
        // Norms 1, 2, 3 of fc1: 1/14, 4/13, 1. Norms 10, 10 of fc2: 1/2 (the first in storage), 1.
        var network = Network.Mlp(1, 3, 2).Initialize(1).With("fc1.weight", [1, 2, 3]).With("fc2.weight", [10, 0, 0, 0, 10, 0]);
        var masks = network.Prune(Amount.Count(3), Importance.L2, Granularity.Row, Scope.Distributed(Distribution.Lamp)).Masks;
        CollectionAssert.AreEqual(new[] { false, false, true }, masks["fc1.weight"].ToArray());
        CollectionAssert.AreEqual(new[] { false, false, false, true, true, true }, masks["fc2.weight"].ToArray());
    }

    [TestMethod]
    public void Schedules_end_at_the_exact_total_and_what_does_not_go_together_is_refused()
    {
        var network = Network.Mlp(100, 50, 20).Initialize(1);
        var start = network.Prune(Amount.Count(0));
        var plan = Plans.Create(new PruningOptions { Amount = Amount.Fraction(0.89), Scope = Scope.Distributed(Distribution.ErdosRenyi),
            Schedule = Schedule.Cubic(4) }, start);
        var pruned = Enumerable.Range(0, plan.Steps).Aggregate(start, plan.Prune);
        Assert.AreEqual(450, pruned.Masks["fc1.weight"].Kept);
        Assert.AreEqual(210, pruned.Masks["fc2.weight"].Kept);
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Amount = Amount.Below(1), Scope = Scope.Distributed(Distribution.ErdosRenyi) }
            .Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.NToM(2, 4),
            Scope = Scope.Distributed(Distribution.ErdosRenyi) }.Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.Filter, Scope = Scope.Distributed(Distribution.Lamp) }
            .Validate());
        Assert.ThrowsExactly<PruningTargetException>(() => Plans.Create(new PruningOptions { Amount = Amount.Fraction(0.5),
            Scope = Scope.Distributed(Distribution.ErdosRenyi) }, pruned));
        Assert.ThrowsExactly<InvalidOperationException>(() => network.Prune(Amount.Fraction(0.5), new Negative(), scope: Scope.Distributed(Distribution.Lamp)));
    }

    internal sealed record DistributionFixture(DistributionCase[] Cases);

    internal sealed record DistributionCase(string Name, string Kind, double Sparsity, int[][] Shapes, double[]? Kept, float[][]? Values, int[][]? Masks);

    private sealed class Negative : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context) => ImportanceScores.OfWeights("negative", (_, _, scores) => scores.Fill(-1));
    }
}
