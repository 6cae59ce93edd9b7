using System.Globalization;
using System.Xml.Linq;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Quantisation inside a chain, behind training, pruning and distillation.</summary>
[TestClass]
public class QuantizeChainTests
{
    [TestMethod]
    public void A_chain_scores_what_onnx_runtime_computes_with_the_integers()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var model = Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 48, 32, 10), Epochs = 8, LearningRate = 3e-3,
                ValidationFraction = 0.2 }))
            .Append(ml.Transforms.Quantize()).Fit(data.TrainSet);
        var report = model.LastTransformer.GetReport<QuantizationReport>();
        Assert.IsLessThan(0.45, (double)report.BytesAfter / report.BytesBefore);
        Assert.IsEmpty(report.Unquantized);
        Assert.IsLessThanOrEqualTo(0.02, Math.Abs(report.Before!.Metric - report.After!.Metric));

        var rows = model.Transform(data.TestSet);
        var features = rows.GetColumn<float[]>("Features").ToArray();
        using var session = new InferenceSession(OnnxWriter.Write(model.LastTransformer.Network).ToByteArray());
        using var input = OrtValue.CreateTensorValueFromMemory(features.SelectMany(row => row).ToArray(), [features.Length, 64]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        var logits = outputs[0].GetTensorDataAsSpan<float>().ToArray();
        foreach (var (row, scores) in rows.GetColumn<float[]>("Score").Index())
        {
            var own = logits.AsSpan(row * 10, 10).ToArray();
            var sum = own.Sum(value => Math.Exp(value - own.Max()));
            for (var k = 0; k < 10; k++)
            {
                Assert.AreEqual(Math.Exp(own[k] - own.Max()) / sum, scores[k], 1e-6);
            }
        }
    }

    [TestMethod]
    public void Pruned_distilled_and_quantised_a_network_is_smaller_than_by_each_alone()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var steps = new List<NeuralNetworkTransformer>();
        var model = Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 64, 64, 10), Epochs = 8, LearningRate = 3e-3,
                ValidationFraction = 0.2 }))
            .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Neuron, FineTuneEpochs = 4 })
                .WithTeacher().WithOnFitDelegate(steps.Add))
            .Append(ml.Transforms.Quantize(Quantizer.Int8(), WeightRounding.Gptq())).Fit(data.TrainSet);
        var report = model.LastTransformer.GetReport<QuantizationReport>();
        Assert.IsLessThan(report.BytesBefore, report.BytesAfter);
        Assert.IsGreaterThan(0.9, ml.MulticlassClassification.Evaluate(model.Transform(data.TestSet)).MicroAccuracy);
        Assert.AreEqual(steps[0].Network.ParameterCount, model.LastTransformer.Network.ParameterCount);
    }

    [TestMethod]
    public void A_report_of_before_networks_were_prepared_is_loaded()
    {
        var report = new QuantizationReport("Int8(true)", "Nearest", new(0.9, 0.3, Metric.Accuracy), new(0.8, 0.4, Metric.Accuracy), 2000, 500,
            [new("conv1", "why not")], []);
        var state = JsonSerializer.SerializeToNode(report, ModelArchive.Json)!.AsObject();
        Assert.IsTrue(state.Remove("Preparation") & state.Remove("Layers") & state.Remove("Warnings"));
        Assert.AreEqual(report.ToString(), state.Deserialize<QuantizationReport>(ModelArchive.Json)!.ToString());
    }

    [TestMethod]
    public void Masks_hold_through_quantisation()
    {
        var ml = new MLContext(1);
        foreach (var (quantizer, rounding) in new[] { (Quantizer.Int8(), WeightRounding.Gptq()), (Quantizer.Weights(3), WeightRounding.AdaRound(50)),
            (Quantizer.Weights(4, symmetric: false), WeightRounding.Gptq()), (Quantizer.Ternary, WeightRounding.Nearest),
            (Quantizer.DynamicInt8(), WeightRounding.Nearest),
            (Quantizer.Weights(4, block: 16), WeightRounding.Nearest) })
        {
            var last = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
                .Append(ml.Transforms.Prune(0.8)).Append(ml.Transforms.Quantize(quantizer, rounding)).Fit(Digits.Load(ml)).LastTransformer;
            foreach (var (name, mask) in last.Masks)
            {
                var values = last.Network[name].Values.ToArray();
                Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || values[i] == 0), $"{quantizer} {rounding} {name}");
            }
        }
    }

    [TestMethod]
    public void What_was_prepared_in_a_chain_keeps_masks_and_is_in_the_report()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var preparation = QuantizationPreparation.Equalize + QuantizationPreparation.Smooth() + QuantizationPreparation.CorrectBias;
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(ml.Transforms.Prune(0.5))
            .Append(ml.Transforms.Quantize(new QuantizationOptions { Preparation = preparation })).Fit(data);
        var last = model.LastTransformer;
        Assert.AreEqual(preparation.ToString(), last.GetReport<QuantizationReport>().Preparation);
        Assert.Contains($"{preparation}", last.GetReport<QuantizationReport>().ToString());
        Assert.IsLessThan(0.02, Math.Abs(last.GetReport<QuantizationReport>().Before!.Metric - last.GetReport<QuantizationReport>().After!.Metric));
        foreach (var (name, mask) in last.Masks)
        {
            var values = last.Network[name].Values.ToArray();
            Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || values[i] == 0), name);
        }

        Assert.Contains("CorrectBias", Assert.Throws<ArgumentException>(() => ml.Transforms.Quantize(new QuantizationOptions { Epochs = 1,
            Preparation = preparation })).Message);
    }

    [TestMethod]
    public void What_has_no_zero_is_refused_behind_a_pruning_that_masks()
    {
        var ml = new MLContext(1);
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Prune(0.5)).Append(ml.Transforms.Quantize(Quantizer.Binary));
        Assert.Contains("Binary has no zero", Assert.Throws<ArgumentException>(() => chain.Fit(Digits.Load(ml))).Message);
    }

    [TestMethod]
    public void A_quantised_chain_is_saved_and_loaded_with_its_report_and_scores_the_same_without_this_library()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Quantize(new QuantizationOptions { Quantizer = Quantizer.Int8(perChannel: false), Range = QuantizationRange.Percentile(0.999),
                CalibrationRows = 100, Seed = 3 })).Fit(data);
        var folder = Directory.CreateTempSubdirectory();
        ml.Compression().Save(model, data.Schema, Path.Combine(folder.FullName, "model.zip"));
        var loaded = ml.Compression().Load(Path.Combine(folder.FullName, "model.zip"), out _);
        ml.Model.Save(model.Compact(), data.Schema, Path.Combine(folder.FullName, "compact.zip"));
        var compact = ml.Model.Load(Path.Combine(folder.FullName, "compact.zip"), out _);
        var scores = Scores(model);
        CollectionAssert.AreEqual(scores, Scores(loaded));
        Close.AreEqual(scores, Scores(compact), 1e-6, "compact");
        var report = ((TransformerChain<ITransformer>)loaded).OfType<NeuralNetworkTransformer>().Last().GetReport<QuantizationReport>();
        Assert.AreEqual(model.LastTransformer.GetReport<QuantizationReport>().ToString(), report.ToString());
        (compact as IDisposable)?.Dispose();
        folder.Delete(recursive: true);

        float[] Scores(ITransformer transformer) => [.. transformer.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row)];
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits()
    {
        float[][] runs = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            var ml = new MLContext(1);
            var network = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
                .Append(ml.Transforms.Quantize(new QuantizationOptions { Rounding = WeightRounding.AdaRound(100), CalibrationRows = 64, Seed = 7 }))
                .Fit(Digits.Load(ml)).LastTransformer.Network;
            return network.Parameters.SelectMany(parameter => parameter.Values.ToArray()).ToArray();
        })];
        CollectionAssert.AreEqual(runs[0], runs[1]);
    }

    [TestMethod]
    public void Integers_are_not_trained()
    {
        var ml = new MLContext(1);
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(ml.Transforms.Quantize())
            .Append(ml.Transforms.FineTune(epochs: 1));
        Assert.Contains("quantize", Assert.Throws<NotSupportedException>(() => chain.Fit(Digits.Load(ml))).Message);
        var twice = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(ml.Transforms.Quantize())
            .Append(ml.Transforms.Quantize());
        Assert.Contains("integers already", Assert.Throws<ArgumentException>(() => twice.Fit(Digits.Load(ml))).Message);
    }

    [TestMethod]
    public void Training_that_rounds_makes_up_for_two_bits_and_measures_floats_beside()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var dense = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 48, 32, 10), Epochs = 8,
            LearningRate = 3e-3, ValidationFraction = 0.2 }));
        var seen = new List<EpochResult>();
        var options = new QuantizationOptions { Quantizer = Quantizer.Weights(2), WeightRange = QuantizationRange.MeanSquaredError };
        var (plain, trained) = (dense.Append(ml.Transforms.Quantize(options)).Fit(data.TrainSet).LastTransformer,
            dense.Append(ml.Transforms.Quantize(options with { Epochs = 8, FineTuning = new() { LearningRate = 2e-3, Progress = new Seen(seen) } })
                .WithTeacher()).Fit(data.TrainSet).LastTransformer);
        var (before, after) = (plain.GetReport<QuantizationReport>(), trained.GetReport<QuantizationReport>());
        Assert.IsGreaterThan(before.After!.Metric, after.After!.Metric);
        Assert.IsLessThan(0.05, after.Before!.Metric - after.After.Metric);
        Assert.HasCount(8, after.Epochs);
        Assert.HasCount(8, seen);
        Assert.IsTrue(after.Epochs.All(epoch => epoch.Floats is not null && epoch.Validation is not null));
        // What was measured last, rounded in libtorch, is what ONNX Runtime computes with the integers of the file.
        Assert.AreEqual(after.Epochs[^1].Validation!.Loss, after.After.Loss, 1e-4);
        foreach (var layer in new[] { "fc1", "fc2", "fc3" })
        {
            var weight = trained.Network[$"{layer}.weight"];
            for (var unit = 0; unit < weight.Shape[0]; unit++)
            {
                Assert.IsLessThanOrEqualTo(3, weight.Values.Slice(unit * weight.Shape[1], weight.Shape[1]).ToArray().Distinct().Count());
            }
        }
    }

    [TestMethod]
    public void Training_that_rounds_between_layers_ends_in_what_onnx_runtime_computes()
    {
        var ml = new MLContext(1);
        var report = Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(),
                Layer.Relu(), Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(10)), Epochs = 3, LearningRate = 3e-3, ValidationFraction = 0.2 }))
            .Append(ml.Transforms.Prune(0.5))
            .Append(ml.Transforms.Quantize(new QuantizationOptions { Epochs = 2, FineTuning = new() { LearningRate = 1e-3 } })).Fit(Digits.Load(ml))
            .LastTransformer.GetReport<QuantizationReport>();
        Assert.AreEqual(report.Epochs[^1].Validation!.Loss, report.After!.Loss, 2e-3);
        Assert.IsGreaterThan(0.9, report.After.Metric);
    }

    [TestMethod]
    public void The_picture_shows_every_epoch_with_and_without_rounding()
    {
        var ml = new MLContext(1);
        QuantizationReport Report(int epochs, double validation) => Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 16, 10), Epochs = 1,
                ValidationFraction = validation }))
            .Append(ml.Transforms.Quantize(new QuantizationOptions { Quantizer = Quantizer.Weights(2), Epochs = epochs })).Fit(Digits.Load(ml))
            .LastTransformer.GetReport<QuantizationReport>();
        var report = Report(12, 0.2);
        using var stream = new MemoryStream();
        report.SaveSvg(stream);
        var path = Path.GetTempFileName();
        report.SaveSvg(path);
        CollectionAssert.AreEqual(File.ReadAllBytes(path), stream.ToArray());
        var svg = XDocument.Load(path).Root!;
        File.Delete(path);
        XNamespace ns = "http://www.w3.org/2000/svg";
        var lines = svg.Elements(ns + "polyline").ToDictionary(line => line.Element(ns + "title")!.Value, line => line.Attribute("points")!.Value.Split(' ')
            .Select(point => point.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray()).ToArray());
        double[] floats = [report.Before!.Metric, .. report.Epochs.Select(epoch => epoch.Floats!.Metric)];
        double[] rounded = [.. report.Epochs.Select(epoch => epoch.Validation!.Metric)];
        var (drawn, metrics) = ((double[][])[.. lines["floats"], .. lines["quantised"]], (double[])[.. floats, .. rounded]);
        Assert.HasCount(13, lines["floats"]);
        Assert.HasCount(12, lines["quantised"]);
        // Linear axes: one epoch to the right is as far everywhere, and the metric goes upwards.
        var (low, high) = (Array.IndexOf(metrics, metrics.Min()), Array.IndexOf(metrics, metrics.Max()));
        Assert.IsLessThan(drawn[low][1], drawn[high][1]);
        var step = (drawn[12][0] - drawn[0][0]) / 12;
        Assert.IsGreaterThan(1, step);
        for (var i = 0; i < metrics.Length; i++)
        {
            Assert.AreEqual(drawn[0][0] + step * (i < 13 ? i : i - 12), drawn[i][0], 0.01);
            var share = (metrics[i] - metrics[low]) / (metrics[high] - metrics[low]);
            Assert.AreEqual(drawn[low][1] + share * (drawn[high][1] - drawn[low][1]), drawn[i][1], 0.01);
        }

        Assert.Contains("set QuantizationOptions.Epochs", Assert.Throws<InvalidOperationException>(() => Report(0, 0.2).SaveSvg(path)).Message);
        Assert.Contains("no validation rows", Assert.Throws<InvalidOperationException>(() => Report(1, 0).SaveSvg(path)).Message);
        Assert.IsFalse(File.Exists(path));
    }

    [TestMethod]
    public void What_does_not_go_with_training_is_refused()
    {
        var ml = new MLContext(1);
        Assert.Contains("Gptq", Assert.Throws<ArgumentException>(() => ml.Transforms.Quantize(new QuantizationOptions { Epochs = 1,
            Rounding = WeightRounding.Gptq() })).Message);
        Assert.Contains("Epochs", Assert.Throws<InvalidOperationException>(() => ml.Transforms.Quantize().WithTeacher()).Message);
        foreach (var (quantizer, says) in new[] { (Quantizer.Ternary, "not trained"), (Quantizer.Float16, "not trained"),
            (Quantizer.Weights(3, symmetric: false), "symmetric") })
        {
            var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
                .Append(ml.Transforms.Quantize(new QuantizationOptions { Quantizer = quantizer, Epochs = 1 }));
            Assert.Contains(says, Assert.Throws<Exception>(() => chain.Fit(Digits.Load(ml))).Message);
        }
    }

    private sealed class Seen(List<EpochResult> epochs) : IProgress<EpochResult>
    {
        public void Report(EpochResult value) => epochs.Add(value);
    }
}
