using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.SparseTrainings;
using MLNet.Pruning.Data;
using MLNet.Pruning.Tests.Pipeline;
using MLNet.Pruning.Training;
using Microsoft.ML;
using TorchSharp;

namespace MLNet.Pruning.Tests.Compression.Pruning.SparseTrainings;

/// <summary>Masks that move in training: what they find where the answer is known, and how they behave in a chain.</summary>
[TestClass]
public class SparseTrainingTests
{
    [TestMethod]
    public void Learned_gates_shut_the_inputs_that_say_nothing()
    {
        // The first four of eight inputs make the class; whole columns have gates.
        var masks = Learn(SparseTraining.L0(strength: 2e-3, learningRate: 0.1), Granularity.Column);
        var mask = masks["fc1.weight"];
        for (var i = 0; i < mask.Count; i++)
        {
            Assert.AreEqual(i % 8 < 4, mask[i], $"weight from input {i % 8}");
        }
    }

    [TestMethod]
    public void Learned_noise_drowns_the_weights_that_say_nothing()
    {
        var mask = Learn(SparseTraining.VariationalDropout(strength: 5, learningRate: 0.1), Granularity.Weight, 0.75)["fc1.weight"];
        var telling = Enumerable.Range(0, mask.Count).Count(i => i % 8 < 4 && mask[i]);
        Assert.IsGreaterThan(0.9, (double)telling / mask.Kept, $"{telling} of {mask.Kept} weights kept read an input that tells the class");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Drop_and_grow_keeps_the_number_of_weights_and_moves_some(bool byGradient)
    {
        var options = new PruningOptions
        {
            Amount = Amount.Fraction(0.8),
            Importance = Importance.Random(1),
            Scope = Scope.Distributed(Distribution.ErdosRenyi),
            FineTuneEpochs = 4,
        };
        options = options with { Training = byGradient ? SparseTraining.RigL(every: 10) : SparseTraining.Set(every: 10) };
        var step = Prune(options);
        var still = new PruningOptions { Amount = options.Amount, Importance = options.Importance, Scope = options.Scope };
        var start = Prune(still);
        foreach (var (name, mask) in step.Masks)
        {
            Assert.AreEqual(start.Masks[name].Kept, mask.Kept, "each layer keeps its number");
            Assert.IsLessThan(0.9 * mask.Kept, (double)mask.And(start.Masks[name]).Kept, "but not the same ones");
        }

        Assert.IsGreaterThan(start.GetReport<PruningReport>().Steps.Single().Validation!.Metric,
            step.GetReport<PruningReport>().Steps.Single().Validation!.Metric,
            "the network learns with its masks");
    }

    [TestMethod]
    public void Smallest_weights_make_room_for_those_worth_most()
    {
        var mask = new WeightMask([true, true, true, true, false, false, false]);
        var changed = DropAndGrowTraining.Change(mask, [3f, -1, 2, 0.5f, 0, 0, 0], [9f, 0, 9, 4, 5, 1, 3], 2);
        CollectionAssert.AreEqual(new[] { true, false, true, true, true, false, false }, changed.ToArray());
    }

    [TestMethod]
    public void Every_way_ends_at_the_target_in_a_chain_and_gives_the_same_bits_again()
    {
        var random = Prune(new() { Amount = Amount.Fraction(0.9), Importance = Importance.Random(1), FineTuneEpochs = 6,
            FineTuning = new() { LearningRate = 5e-3, Seed = 4 } }).GetReport<PruningReport>().Steps.Single().Validation!.Metric;
        foreach (var training in new[] { SparseTraining.Gradual(20), SparseTraining.Soft(40), SparseTraining.Surgery(10), SparseTraining.L0(1e-5, 0.1),
            SparseTraining.VariationalDropout(learningRate: 0.1) })
        {
            var options = new PruningOptions { Amount = Amount.Fraction(0.9), Schedule = Schedule.Cubic(20), FineTuneEpochs = 6, Training = training };
            options = options with { FineTuning = new() { LearningRate = 5e-3, Seed = 4, Distillation = Distillation.Response(), TargetedDropout = new() } };
            var first = Prune(options);
            Assert.AreEqual(0.9, first.GetReport<PruningReport>().Steps.Single().Sparsity, 0.001, training.ToString());
            Assert.IsGreaterThan(random, first.GetReport<PruningReport>().Steps.Single().Validation!.Metric, training.ToString());
            foreach (var (name, mask) in first.Masks)
            {
                Assert.AreEqual(mask.Kept, first.Network[name].Values.ToArray().Count(value => value != 0), $"{training}: {name}");
            }

            CollectionAssert.AreEqual(first.Network["fc1.weight"].Values.ToArray(), Prune(options).Network["fc1.weight"].Values.ToArray(), training.ToString());
        }
    }

    [TestMethod]
    public void Softly_pruned_units_are_removed_when_the_training_is_over()
    {
        // With a rate near zero nothing moves: what is removed is what magnitude removes at once.
        var still = new TrainingOptions { LearningRate = 1e-12, Seed = 4 };
        var options = new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Neuron, FineTuneEpochs = 2, FineTuning = still,
            Training = SparseTraining.Soft(every: 10) };
        var soft = Prune(options);
        var atOnce = Prune(new() { Amount = Amount.Fraction(0.5), Granularity = Granularity.Neuron });
        CollectionAssert.AreEqual(new[] { 16, 64 }, soft.Network["fc1.weight"].Shape.ToArray());
        Close.AreEqual(atOnce.Network["fc1.weight"].Values.ToArray(), soft.Network["fc1.weight"].Values, 1e-5, "fc1.weight");
        Assert.AreEqual(0.5, soft.GetReport<PruningReport>().Steps.Single().Sparsity);
        Assert.AreEqual(16, soft.GetReport<PruningReport>().Widths.Single().After);

        options = options with { FineTuning = new() { LearningRate = 5e-3, Seed = 4 } };
        Assert.IsGreaterThan(atOnce.GetReport<PruningReport>().Steps.Single().Validation!.Metric,
            Prune(options).GetReport<PruningReport>().Steps.Single().Validation!.Metric,
            "units learn to do without the others");
        options = options with { Layers = [LayerRule.Named("fc1", Amount.Fraction(0.2))] };
        Assert.ThrowsExactly<ArgumentException>(() => Prune(options));
    }

    [TestMethod]
    public void The_learning_rate_goes_back_to_the_end_of_the_schedule()
    {
        var training = new TrainingOptions { Epochs = 10, LearningRateSchedule = LearningRateSchedule.Cosine() };
        var tail = training.Tail(4);
        for (var step = 0; step < 20; step++)
        {
            var epoch = step / 5.0;
            Assert.AreEqual((1 + Math.Cos(Math.PI * (6 + epoch) / 10)) / 2, tail.RateFactor(epoch, 5), 1e-12);
        }

        Assert.AreEqual(4, tail.Epochs);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SparseTraining.Gradual(every: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SparseTraining.Surgery(until: 1.5));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SparseTraining.RigL(fraction: 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SparseTraining.L0(strength: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SparseTraining.VariationalDropout(learningRate: double.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Response(temperature: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Response(weight: 1.1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new TargetedDropout(rate: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new TrainingOptions { LastLayers = 0 });
        var ml = new MLContext(1);
        Refused(SparseTraining.Gradual(), Granularity.Neuron, "Neuron");
        Refused(SparseTraining.RigL(), Granularity.Row, "Row");
        Refused(SparseTraining.VariationalDropout(), Granularity.Column, "Column");

        // Nothing was pruned before and no teacher is named.
        var untaught = Digits.Options(1) with { Distillation = Distillation.Response() };
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(untaught)).Fit(Digits.Load(ml))).Message, "teacher");
        untaught = untaught with { Distillation = Distillation.Response(teacher: Network.Mlp(63, 10).Initialize(1)) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(untaught)).Fit(Digits.Load(ml))).Message, "63");

        void Refused(SparseTraining training, Granularity granularity, string name) => StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => ml.Transforms.Prune(new PruningOptions { Training = training, Granularity = granularity })).Message,
            name);
    }

    private static ImmutableDictionary<string, WeightMask> Learn(SparseTraining training, Granularity granularity, double amount = 0.5)
    {
        var random = new Random(5);
        var data = new TrainingData(8);
        for (var row = 0; row < 600; row++)
        {
            var values = data.Next();
            for (var i = 0; i < 8; i++)
            {
                values[i] = random.NextSingle() * 2 - 1;
            }

            data.Add(values[0] - values[1] + values[2] - values[3] > 0 ? 1 : 0);
        }

        data.Split(0, 0);
        var network = Network.Mlp(8, 12, 2).Initialize(3);
        var options = new PruningOptions { Amount = Amount.Fraction(amount), Granularity = granularity, Scope = Scope.Parameters("fc1.weight"),
            Training = training };
        using var run = training.Bind(options, new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty),
            new(data, LearningTask.Multiclass, Loss.CrossEntropy, torch.CPU, 50, 1, default));
        new TrainingLoop(data, new TrainingOptions { Epochs = 40, BatchSize = 50, LearningRate = 0.01, Seed = 1 }, LearningTask.Multiclass, torch.CPU, _ => { })
            .Run(network, ImmutableDictionary<string, WeightMask>.Empty, 1, 0, run);
        return run.Masks;
    }

    private static NeuralNetworkTransformer Prune(PruningOptions options)
    {
        var ml = new MLContext(1);
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(5))).Append(ml.Transforms.Prune(options))
            .Fit(Digits.Load(ml)).LastTransformer;
    }
}
