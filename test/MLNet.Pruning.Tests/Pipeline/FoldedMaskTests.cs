using MLNet.Pruning.Messages;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Masks of batch normalisation that integers fold into the layer before it.</summary>
[TestClass]
public class FoldedMaskTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow("Int8")]
    [DataRow("Int8(false)")]
    public void A_scale_that_was_pruned_becomes_a_filter_of_zeros(string form)
    {
        var data = Digits.Load(_ml);
        var pruned = Pruned("bn1.weight").Fit(data);
        var mask = pruned.LastTransformer.Masks["bn1.weight"];
        Assert.AreEqual(4, mask.Kept);
        var quantized = _ml.Transforms.Quantize(Notation.Parse<Quantizer>(form, null)).Fit(pruned.Transform(data));
        var filters = quantized.Network["conv1.weight"].Values.ToArray().Chunk(9).ToArray();
        for (var channel = 0; channel < 8; channel++)
        {
            Assert.AreEqual(mask[channel], filters[channel].Any(value => value != 0), $"channel {channel}");
        }

        Assert.IsEmpty(quantized.Masks);
        var report = quantized.GetReport<QuantizationReport>();
        StringAssert.Contains(report.Warnings.Single(), "'bn1.weight'");
        Assert.AreEqual(report.Before!.Metric, report.After!.Metric, 0.05);
    }

    [TestMethod]
    public void A_shift_that_was_pruned_is_part_of_the_bias()
    {
        var data = Digits.Load(_ml);
        var pruned = Pruned("bn1.bias").Fit(data);
        var report = _ml.Transforms.Quantize().Fit(pruned.Transform(data)).GetReport<QuantizationReport>();
        StringAssert.Contains(report.Warnings.Single(), "'bn1.bias'");
        Assert.AreEqual(report.Before!.Metric, report.After!.Metric, 0.05);
    }

    [TestMethod]
    public void Training_that_would_let_it_grow_again_is_refused_by_name()
    {
        var data = Digits.Load(_ml);
        var pruned = Pruned("bn1.weight").Fit(data).Transform(data);
        foreach (var step in new IEstimator<NeuralNetworkTransformer>[]
        {
            _ml.Transforms.Quantize(new QuantizationOptions { Epochs = 1 }),
            _ml.Transforms.FineTune(new TrainingOptions { Epochs = 1, Quantization = Quantizer.Int8() }),
        })
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => step.Fit(pruned)).Message, "'bn1.weight'");
        }

        // Weights alone leave batch normalisation as it is, and its mask.
        var trained = _ml.Transforms.Quantize(new QuantizationOptions { Quantizer = Quantizer.Weights(4), Epochs = 1 }).Fit(pruned);
        Assert.IsTrue(Enumerable.Range(0, 8).All(i => trained.Masks["bn1.weight"][i] || trained.Network["bn1.weight"].Values[i] == 0));
        Assert.AreEqual(4, trained.Masks["bn1.weight"].Kept);
    }

    /// <summary>Half of a parameter of batch normalisation is set to zero.</summary>
    private IEstimator<TransformerChain<NeuralNetworkTransformer>> Pruned(string parameter)
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(10));
        return Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(new()
        {
            Network = network, Epochs = 3, LearningRate = 3e-3, ValidationFraction = 0.2, Seed = 2,
        })).Append(_ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.5), Scope = Scope.Network.Only(parameter), FineTuneEpochs = 1,
        }));
    }
}
