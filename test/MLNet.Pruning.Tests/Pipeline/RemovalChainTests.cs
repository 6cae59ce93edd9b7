using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Structure removed inside a chain, with the schedules, rewinding and tolerance of any pruning.</summary>
[TestClass]
public class RemovalChainTests
{
    [TestMethod]
    public void Neurons_go_step_by_step_and_the_chain_goes_on_with_the_smaller_network()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var model = Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 60, 40, 10), Epochs = 8, LearningRate = 3e-3 }))
            .Append(ml.Transforms.Prune(0.5, granularity: Granularity.Neuron, scope: Scope.Layer, schedule: Schedule.Linear(3), fineTuneEpochs: 2))
            .Append(ml.Transforms.FineTune(epochs: 4)).Fit(data.TrainSet);
        var (step, last) = (model.OfType<NeuralNetworkTransformer>().Single(transformer => transformer.Report is PruningReport), model.LastTransformer);
        Assert.AreEqual((30, 20), (last.Network["fc1.weight"].Shape[0], last.Network["fc2.weight"].Shape[0]));

        // A sixth, a third and a half of 60 + 40 neurons; of 30 and 20 units 64 x 30 + 30, 30 x 20 + 20 and 20 x 10 + 10 parameters.
        CollectionAssert.AreEqual(new[] { 0.17, 0.33, 0.5 }, step.GetReport<PruningReport>().Steps.Select(one => Math.Round(one.Sparsity, 2)).ToArray());
        Assert.AreEqual(1950 + 620 + 210, step.GetReport<PruningReport>().Steps[^1].NonZeros);
        CollectionAssert.AreEqual(new[] { ("fc1", 60, 30), ("fc2", 40, 20) },
            step.GetReport<PruningReport>().Widths.Select(width => (width.Layer, width.Before, width.After)).ToArray());
        Assert.IsGreaterThan(0.9, ml.MulticlassClassification.Evaluate(model.Transform(data.TestSet)).MicroAccuracy);
        Assert.AreEqual(1950 + 620 + 210, ml.Compression().Measure(model).Total.Parameters);
    }

    [TestMethod]
    public void Rewinding_takes_the_first_values_of_what_is_left()
    {
        var ml = new MLContext(1);
        var steps = new List<NeuralNetworkTransformer>();
        Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 32, 10).Initialize(5), Epochs = 2 }))
            .Append(ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(0.5),
                Granularity = Granularity.Neuron,
                Schedule = Schedule.Linear(2),
                FineTuneEpochs = 1,
                // So small a rate moves nothing: what is left are the first values.
                FineTuning = new() { LearningRate = 1e-12, Epochs = 1 },
                Rewind = Rewind.ToInitial,
            }).WithOnFitDelegate(steps.Add)).Fit(Digits.Load(ml));
        var network = steps[0].Network;
        var kept = IndexRanges.Parse(KeptMetadata.Read(network.Graph.Metadata)["fc1.weight"].Kept[0]);
        Assert.HasCount(16, kept);
        var initial = Network.Mlp(64, 32, 10).Initialize(5);
        for (var unit = 0; unit < 16; unit++)
        {
            Close.AreEqual(initial["fc1.weight"].Values.Slice(kept[unit] * 64, 64).ToArray(), network["fc1.weight"].Values.Slice(unit * 64, 64), 1e-6,
                $"unit {kept[unit]}");
        }
    }

    [TestMethod]
    public void A_step_that_falls_too_deep_is_taken_back_with_all_it_removed()
    {
        var ml = new MLContext(1);
        var steps = new List<NeuralNetworkTransformer>();
        Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers
            .NeuralNetwork(new() { Network = Network.Mlp(64, 32, 10), Epochs = 8, LearningRate = 5e-3, ValidationFraction = 0.2 }))
            .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.96), Granularity = Granularity.Neuron, Schedule = Schedule.Custom(0.1),
                Tolerance = 0.1 })
                .WithOnFitDelegate(steps.Add)).Fit(Digits.Load(ml));
        Assert.IsTrue(steps[0].GetReport<PruningReport>().StoppedEarly);
        Assert.AreEqual(29, steps[0].Network["fc1.weight"].Shape[0], "32 less a tenth");
    }

    [TestMethod]
    public void Zeros_stay_zero_when_structure_goes_after_them_and_training_follows()
    {
        var ml = new MLContext(1);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Prune(0.6))
            .Append(ml.Transforms.Prune(0.25, granularity: Granularity.Neuron))
            .Append(ml.Transforms.FineTune(epochs: 1)).Fit(Digits.Load(ml)).LastTransformer;
        Assert.AreEqual(24, model.Network["fc1.weight"].Shape[0]);
        foreach (var (name, mask) in model.Masks)
        {
            var values = model.Network[name].Values.ToArray();
            Assert.IsLessThan(mask.Count, mask.Kept);
            Assert.IsTrue(values.Select((value, i) => mask[i] || value == 0).All(zero => zero), name);
        }
    }
}
