using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Weights chosen together, in chains that are measured on rows they did not see.</summary>
[TestClass]
public class CombinatorialBrainSurgeonTests
{
    [TestMethod]
    public void Much_less_is_lost_than_by_size_and_by_single_weights()
    {
        double Loss(Importance importance, Schedule? schedule = null) => Last(new()
        {
            Amount = Amount.Fraction(0.9), Importance = importance, Schedule = schedule ?? Schedule.OneShot, FineTuneEpochs = 0,
            Recovery = Recovery.None,
        }).Pruned!.Loss;
        var (bySize, alone) = (Loss(Importance.L1), Loss(Importance.DiagonalHessian(1000)));
        var (one, fisher) = (Loss(Importance.CombinatorialBrainSurgeon(1000)), Loss(Importance.CombinatorialBrainSurgeon(1000, 5, Curvature.EmpiricalFisher)));
        var many = Loss(Importance.CombinatorialBrainSurgeon(400, 5), Schedule.Cubic(6).Hold(4));
        Assert.IsLessThan(0.7 * Math.Min(bySize, alone), one);
        Assert.IsLessThan(Math.Min(bySize, alone), fisher);
        Assert.IsLessThan(0.5 * one, many);
    }

    [TestMethod]
    public void Every_pool_and_pattern_loses_what_was_asked_of_it()
    {
        var importance = Importance.CombinatorialBrainSurgeon(200);
        var layers = Fit(new() { Amount = Amount.Fraction(0.75), Importance = importance, Scope = Scope.Layer }).Network;
        foreach (var weight in layers.Parameters.Where(parameter => parameter.Shape.Length == 2))
        {
            Assert.AreEqual(weight.Count * 3 / 4, weight.Values.Count(0f), weight.Name);
        }

        var patterns = Fit(new() { Importance = importance, Granularity = Granularity.NToM(2, 4) }).Network["fc2.weight"];
        foreach (var pattern in patterns.Values.ToArray().Chunk(4))
        {
            Assert.AreEqual(2, pattern.Count(value => value == 0));
        }

        var four = Granularity.WeightBlock(1, 4);
        var scope = Scope.Layer.Only("fc1");
        var blocks = Fit(new() { Amount = Amount.Fraction(0.5), Importance = importance, Granularity = four, Scope = scope }).Network["fc1.weight"].Values
            .ToArray().Chunk(4).ToArray();
        Assert.AreEqual(blocks.Length / 2, blocks.Count(block => block.All(value => value == 0)));
        Assert.IsTrue(blocks.All(block => block.All(value => value == 0) || block.All(value => value != 0)));
    }

    [TestMethod]
    public void All_weights_of_a_network_can_go_and_what_is_removed_after_masks_goes_by_single_weights()
    {
        var ml = new MLContext(1);
        var table = Digits.Load(ml);
        var rows = Digits.Prepare(ml).Fit(table).Transform(table);
        var trained = ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1)).Fit(rows);
        var importance = Importance.CombinatorialBrainSurgeon(100);
        var none = ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(1), Importance = importance, Recovery = Recovery.None })
            .Fit(trained.Transform(rows)).Network;
        Assert.IsTrue(none.Parameters.Where(parameter => parameter.Shape.Length == 2).All(weight => weight.Values.Count(0f) == weight.Count));

        var masked = ml.Transforms.Prune(0.5).Fit(trained.Transform(rows));
        var removed = ml.Transforms.Prune(new PruningOptions { Amount = Amount.Count(4), Importance = importance, Granularity = Granularity.Neuron })
            .Fit(masked.Transform(rows));
        Assert.AreEqual(masked.Network["fc1.weight"].Shape[0] - 4, removed.Network["fc1.weight"].Shape[0]);
    }

    [TestMethod]
    public void A_network_that_is_wrong_and_sure_of_it_is_not_led_away()
    {
        // Logits of some thousands: the softmax has no curvature left, its gradient has all its size.
        var network = Network.Mlp(24, 12, 3).Initialize(3);
        network = network.With("fc2.weight", [.. network["fc2.weight"].Values.ToArray().Select(weight => 3000 * weight)]);
        var rows = Recoveries.RecoveryCase.Rows(60, 24, 5);
        var data = Recoveries.RecoveryCase.Data(rows, 3);
        foreach (var curvature in new[] { Curvature.GaussNewton, Curvature.EmpiricalFisher })
        {
            var scores = Importance.CombinatorialBrainSurgeon(60, 1, curvature).On(network, data);
            var pruned = network.Prune(Amount.Fraction(0.5), new GivenScores(scores));
            Assert.IsLessThanOrEqualTo(Loss(network.WithMasks(pruned.Masks).Network), Loss(pruned.Network), $"{curvature}");
        }

        // The mean cross-entropy of the rows' classes, by its definition.
        double Loss(Network one) => Recoveries.RecoveryCase.Outputs(one, rows).Chunk(3).Index().Average(row =>
        {
            var most = row.Item.Max();
            return most + Math.Log(row.Item.Sum(logit => Math.Exp(logit - most))) - row.Item[row.Index % 3];
        });
    }

    [TestMethod]
    public void Steps_at_the_target_go_on_without_taking_more()
    {
        var model = Fit(new()
        {
            Amount = Amount.Fraction(0.8), Importance = Importance.CombinatorialBrainSurgeon(300, 5), Schedule = Schedule.Linear(2).Hold(3), FineTuneEpochs = 0,
            Recovery = Recovery.None,
        });
        var steps = ((PruningReport)model.Report!).Steps;
        CollectionAssert.AreEqual(new[] { 0.4, 0.8, 0.8, 0.8, 0.8 }, steps.Select(step => Math.Round(step.Sparsity, 3)).ToArray());
        Assert.IsLessThan(steps[1].Pruned!.Loss, steps[4].Pruned!.Loss);
        Assert.AreEqual("Linear(2).Hold(3)", Schedule.Linear(2).Hold(3).ToString());
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits()
    {
        float[] Bits() => [.. Fit(new() { Amount = Amount.Fraction(0.7), Importance = Importance.CombinatorialBrainSurgeon(300), Schedule = Schedule.Linear(2),
            FineTuneEpochs = 0 }).Network.Parameters.SelectMany(parameter => parameter.Values.ToArray())];
        CollectionAssert.AreEqual(Bits(), Bits());
    }

    [TestMethod]
    public void It_says_what_it_cannot_work_with()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.CombinatorialBrainSurgeon(ridge: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.CombinatorialBrainSurgeon(rows: 0));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Network.Mlp(3, 2).Initialize(1).Prune(Amount.Fraction(0.5),
            Importance.CombinatorialBrainSurgeon())).Message, "calibration rows");
    }

    private static PruningStep Last(PruningOptions options) => ((PruningReport)Fit(options).Report!).Steps[^1];

    private static NeuralNetworkTransformer Fit(PruningOptions options)
    {
        var ml = new MLContext(1);
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(8))).Append(ml.Transforms.Prune(options))
            .Fit(Digits.Load(ml)).LastTransformer;
    }
}
