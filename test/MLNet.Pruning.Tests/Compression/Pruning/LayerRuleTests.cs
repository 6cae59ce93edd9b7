using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Different settings for different layers, and layers one after another.</summary>
[TestClass]
public class LayerRuleTests
{
    [TestMethod]
    public void The_first_rule_that_matches_holds_and_the_rest_are_as_the_options_say()
    {
        var network = Mixed();
        var pruned = network.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.25),
            Scope = Scope.Layer,
            Layers = [LayerRule.Named("fc2.w*", Amount.Fraction(0.9)), LayerRule.Named("fc?", granularity: Granularity.NToM(1, 4)),
                LayerRule.OfOperator("Conv", Amount.Fraction(0.5), Granularity.Kernel, Importance.L2)],
        });
        Assert.AreEqual(network["fc1.weight"].Count / 4, pruned.Masks["fc1.weight"].Kept);
        Assert.AreEqual(network["fc2.weight"].Count / 10, pruned.Masks["fc2.weight"].Kept);
        Assert.AreEqual(network["out.weight"].Count * 3 / 4, pruned.Masks["out.weight"].Kept);
        Same(network.Prune(Amount.Fraction(0.5), Importance.L2, Granularity.Kernel).Masks["conv1.weight"], pruned.Masks["conv1.weight"]);
        Same(network.Prune(granularity: Granularity.NToM(1, 4), scope: Scope.Layer.Only("fc1")).Masks["fc1.weight"], pruned.Masks["fc1.weight"]);
    }

    [TestMethod]
    public void Layers_of_a_rule_are_compared_with_each_other_alone()
    {
        var network = Mixed();
        var pruned = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.6), Layers = [LayerRule.Named("fc*", Amount.Fraction(0.3))] });
        var (dense, others) = (network.Prune(Amount.Fraction(0.3), scope: Scope.Network.Only("fc1", "fc2")),
            network.Prune(Amount.Fraction(0.6), scope: Scope.Network.Except("fc1", "fc2")));
        foreach (var (name, mask) in dense.Masks.Concat(others.Masks))
        {
            Same(mask, pruned.Masks[name]);
        }
    }

    [TestMethod]
    public void Rules_stay_within_the_scope()
    {
        var network = Mixed();
        var pruned = network.Prune(new PruningOptions { Scope = Scope.Layer.Only("conv1", "fc1"),
            Layers = [LayerRule.OfOperator("Conv", granularity: Granularity.Kernel), LayerRule.Named("fc1", granularity: Granularity.Row)] });
        CollectionAssert.AreEquivalent(new[] { "conv1.weight", "fc1.weight" }, pruned.Masks.Keys.ToArray());
        Assert.AreEqual(network["fc1.weight"].Count / 2, pruned.Masks["fc1.weight"].Kept);
    }

    [TestMethod]
    public void Rules_hold_where_pieces_are_removed()
    {
        var pruned = Mixed().Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit, Scope = Scope.Layer, Alignment = 1,
            Layers = [LayerRule.OfOperator("Conv", Amount.Fraction(0.25))] }).Network;
        Assert.AreEqual((6, 8, 6), (pruned["conv1.weight"].Shape[0], pruned["fc1.weight"].Shape[0], pruned["fc2.weight"].Shape[0]));
    }

    [TestMethod]
    public void Rules_remove_by_a_criterion_from_rows_layer_after_layer()
    {
        var ml = new MLContext(1);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 32, 24, 10), epochs: 2))
            .Append(ml.Transforms.Prune(new PruningOptions
            {
                Granularity = Granularity.Unit,
                Importance = Importance.Taylor(),
                Schedule = Schedule.Linear(2),
                FineTuneEpochs = 1,
                // The output layer, under no rule, has nothing to remove.
                Layers = [LayerRule.Named("fc1", Amount.Count(20)), LayerRule.Named("fc2", Amount.Count(16))],
            })).Fit(Digits.Load(ml)).LastTransformer;
        CollectionAssert.AreEqual(new[] { 12, 64 }, model.Network["fc1.weight"].Shape.ToArray());
        CollectionAssert.AreEqual(new[] { 8, 12 }, model.Network["fc2.weight"].Shape.ToArray());
    }

    [TestMethod]
    public void Rules_with_their_own_importance_go_through_a_schedule_in_a_chain()
    {
        var ml = new MLContext(1);
        NeuralNetworkTransformer? dense = null;
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(2))
            .WithOnFitDelegate(network => dense = network))
            .Append(ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(0.8),
                Schedule = Schedule.Linear(3),
                FineTuneEpochs = 0,
                Recovery = Recovery.None,
                Layers = [LayerRule.Named("fc1", Amount.Fraction(0.5), importance: Importance.Random(7))],
            })).Fit(Digits.Load(ml)).LastTransformer;
        // Random numbers do not change from step to step, and neither do magnitudes without fine-tuning.
        Same(dense!.Network.Prune(Amount.Fraction(0.5), Importance.Random(7), scope: Scope.Network.Only("fc1")).Masks["fc1.weight"], model.Masks["fc1.weight"]);
        Same(dense.Network.Prune(Amount.Fraction(0.8), scope: Scope.Network.Only("fc2")).Masks["fc2.weight"], model.Masks["fc2.weight"]);
        Assert.AreEqual(3, model.GetReport<PruningReport>().Steps.Count);
        Assert.AreEqual(model.Masks.Values.Sum(mask => (long)mask.Kept), model.GetReport<PruningReport>().Steps[^1].NonZeros);
    }

    [TestMethod]
    public void Rules_that_match_nothing_or_contradict_are_refused()
    {
        var network = Mixed();
        PrunedNetwork Pruned(LayerRule rule, Granularity? granularity = null)
            => network.Prune(new PruningOptions { Granularity = granularity ?? Granularity.Weight, Layers = [rule] });
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Pruned(LayerRule.Named("fc12"))).Message, "Nearest: 'fc1'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Pruned(LayerRule.OfOperator("Conf"))).Message, "Nearest: 'Conv'");
        Assert.ThrowsExactly<ArgumentException>(() => Pruned(LayerRule.Named("relu*")));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Pruned(LayerRule.Named("fc*", granularity: Granularity.Kernel))).Message,
            "'Kernel'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Pruned(LayerRule.Named("fc*", granularity: Granularity.Filter))).Message,
            "'Filter'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => LayerRule.Named("fc*", Amount.Fraction(0.1), Granularity.NToM(2, 4))).Message,
            "'NToM(2, 4)'");
        Assert.ThrowsExactly<ArgumentException>(() => LayerRule.Named("fc*", Amount.Parameters(0.5)));
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Amount = Amount.Parameters(0.5), Granularity = Granularity.Unit,
            Layers = [LayerRule.Named("fc*")] }.Validate());
        Assert.ThrowsExactly<ArgumentException>(() => LayerRule.Named(""));
        Assert.ThrowsExactly<ArgumentNullException>(() => new PruningOptions { Layers = [null!] });
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Layer_by_layer_ends_where_all_at_once_does_and_touches_one_layer_a_step(bool topDown)
    {
        var network = Mixed();
        string[] order = ["conv1.weight", "fc1.weight", "fc2.weight", "out.weight"];
        foreach (var scope in new[] { Scope.Network, Scope.Layer, Scope.Distributed(Distribution.ErdosRenyi), Scope.Distributed(Distribution.Lamp) })
        {
            var schedule = Schedule.Linear(2);
            var start = network.Prune(Amount.Count(0));
            var atOnce = network.Prune(Amount.Fraction(0.7), scope: scope).Masks;
            var plan = Plans.Create(new PruningOptions { Amount = Amount.Fraction(0.7), Scope = scope,
                Schedule = topDown ? schedule.TopDown() : schedule.BottomUp() }, start);
            Assert.AreEqual(8, plan.Steps);
            var pruned = start;
            for (var step = 0; step < plan.Steps; step++)
            {
                var next = plan.Prune(pruned, step);
                var changed = order.Where(name => next.Masks[name].Kept < pruned.Masks[name].Kept).ToArray();
                var turn = topDown ? order[3 - step / 2] : order[step / 2];
                // A layer that loses a single weight does so in the second of its two steps.
                Assert.IsTrue(changed.All(name => name == turn), $"{scope.Distribution}, step {step}: {string.Join(", ", changed)}");
                pruned = next;
                if (step % 2 == 1)
                {
                    Same(atOnce[turn], pruned.Masks[turn]);
                }
            }
        }
    }

    [TestMethod]
    public void Layers_that_lose_nothing_take_no_step()
    {
        // fc2 has ten weights, which Erdos-Renyi keeps all.
        var start = Network.Mlp(20, 10, 1).Initialize(1).Prune(Amount.Count(0));
        var plan = Plans.Create(new PruningOptions { Amount = Amount.Count(100), Scope = Scope.Distributed(Distribution.ErdosRenyi),
            Schedule = Schedule.Linear(2).TopDown() }, start);
        Assert.AreEqual(2, plan.Steps);
        Assert.AreEqual(150, plan.Prune(start, 0).Masks["fc1.weight"].Kept);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Layers_that_lose_units_are_pruned_one_after_another(bool topDown)
    {
        var network = Mixed();
        foreach (var (amount, scope) in new[] { (Amount.Fraction(0.5), Scope.Network), (Amount.Fraction(0.5), Scope.Layer),
            (Amount.Parameters(0.6), Scope.Network) })
        {
            var options = new PruningOptions { Amount = amount, Scope = scope, Granularity = Granularity.Unit, Alignment = 1,
                Schedule = topDown ? Schedule.Linear(2).TopDown() : Schedule.Linear(2).BottomUp() };
            var atOnce = network.Prune(new PruningOptions { Amount = amount, Scope = scope, Granularity = Granularity.Unit, Alignment = 1 }).Network;
            var plan = Plans.Create(options, network.Prune(Amount.Count(0)));
            string[] order = topDown ? ["fc2", "fc1", "conv1"] : ["conv1", "fc1", "fc2"];
            Assert.AreEqual(6, plan.Steps);
            var pruned = network.Prune(Amount.Count(0));
            for (var step = 0; step < 6; step++)
            {
                var next = plan.Prune(pruned, step);
                foreach (var layer in order)
                {
                    int Units(Network one) => one[layer + ".weight"].Shape[0];
                    Assert.AreEqual(layer == order[step / 2], Units(next.Network) < Units(pruned.Network), $"{layer} in step {step}");
                    Assert.IsTrue(layer != order[step / 2] || step % 2 == 0 || Units(next.Network) == Units(atOnce),
                        $"{layer} ends at {Units(next.Network)}, at once {Units(atOnce)}");
                }

                pruned = next;
            }
        }
    }

    [TestMethod]
    public void Rules_go_layer_by_layer_too()
    {
        var network = Mixed();
        var options = new PruningOptions { Amount = Amount.Fraction(0.5),
            Layers = [LayerRule.Named("fc1", Amount.Fraction(0.75)), LayerRule.Named("fc2", granularity: Granularity.Row)],
            Schedule = Schedule.Linear(2).BottomUp(), FineTuneEpochs = 0 };
        var told = new List<PruningStep>();
        var (pruned, report) = new PruningLoop(options, _ => null, (_, _) => throw new InvalidOperationException(), told.Add)
            .Run(new(network, System.Collections.Immutable.ImmutableDictionary<string, WeightMask>.Empty), null);
        Assert.AreEqual(8, told.Count);
        Assert.IsTrue(told.Zip(told.Skip(1)).All(pair => pair.First.Sparsity < pair.Second.Sparsity));
        Assert.IsLessThan(0.1, told[0].Sparsity, "of all weights in scope, though one layer alone has been begun");
        Assert.AreEqual(1 - 0.75, (double)pruned.Masks["fc1.weight"].Kept / network["fc1.weight"].Count, 1e-3);
        Assert.AreEqual(6, Enumerable.Range(0, 12).Count(row => pruned.Masks["fc2.weight"][row * 16]));
        string[] order = ["conv1.weight", "fc1.weight", "fc2.weight", "out.weight"];
        for (var i = 0; i < order.Length; i++)
        {
            var rounds = Enumerable.Range(0, 12).Select(row => report.Decision(i == 0 ? $"{order[i]}[{row % 8},0,0,0]" : $"{order[i]}[{row},3]"))
                .Where(verdict => verdict.Removed).Select(verdict => verdict.Round).ToArray();
            Assert.IsTrue(rounds.Length > 0 && rounds.All(round => (round - 1) / 2 == i), $"{order[i]} went in rounds {string.Join(", ", rounds)}");
        }
    }

    [TestMethod]
    public void Blocks_have_no_order()
        => Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.Block, Schedule = Schedule.OneShot.BottomUp() }
            .Validate());

    private static Network Mixed() => Network.Sequential([4, 6, 6], Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(16), Layer.Relu(),
        Layer.Dense(12), Layer.Relu(), Layer.Dense(20, name: "out")).Initialize(3);

    private static void Same(WeightMask expected, WeightMask actual) => CollectionAssert.AreEqual(expected.ToArray(), actual.ToArray());
}
