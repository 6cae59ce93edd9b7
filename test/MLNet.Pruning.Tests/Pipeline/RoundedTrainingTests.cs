using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Files;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Pipeline.Files;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Training that rounds as an option of the trainer, of fine-tuning and of distillation.</summary>
[TestClass]
public class RoundedTrainingTests
{
    private static readonly Quantizer s_two = Quantizer.Weights(2);
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Quantize_takes_the_steps_that_a_fine_tuning_learned()
    {
        var dense = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(8)));
        var data = Digits.Load(_ml);
        var plain = dense.Append(_ml.Transforms.Quantize(s_two)).Fit(data).LastTransformer.GetReport<QuantizationReport>();
        var steps = new List<NeuralNetworkTransformer>();
        var last = dense.Append(_ml.Transforms.FineTune(new TrainingOptions { Epochs = 8, LearningRate = 2e-3, Quantization = s_two })
            .WithOnFitDelegate(steps.Add)).Append(_ml.Transforms.Quantize(s_two)).Fit(data).LastTransformer;
        var (tuned, report) = (steps[0].GetReport<TrainingReport>(), last.GetReport<QuantizationReport>());
        Assert.IsTrue(tuned.Epochs.All(epoch => epoch.Floats is not null));
        Assert.IsGreaterThan(plain.After!.Metric, report.After!.Metric);
        // What libtorch measured last, rounded, is what ONNX Runtime computes with the integers of the file; what it measured as floats is what was handed on.
        Assert.AreEqual(tuned.Epochs[^1].Validation!.Loss, report.After.Loss, 1e-4);
        Assert.AreEqual(tuned.Epochs[^1].Floats!.Loss, report.Before!.Loss, 1e-4);
        foreach (var layer in new[] { "fc1", "fc2", "fc3" })
        {
            var (rounded, floats) = (last.Network[$"{layer}.weight"], steps[0].Network[$"{layer}.weight"]);
            Assert.IsTrue(rounded.Values.ToArray().Chunk(rounded.Shape[1]).All(unit => unit.Distinct().Count() <= 3), "two bits");
            Assert.IsTrue(floats.Values.ToArray().Chunk(rounded.Shape[1]).All(unit => unit.Distinct().Count() > 3), "floats");
        }

        // Another rounding, or another network, has steps of its own.
        foreach (var other in new[] { dense.Append(Tuning()).Append(_ml.Transforms.Quantize(s_two, WeightRounding.AdaRound(20))),
            dense.Append(Tuning()).Append(_ml.Transforms.Quantize(Quantizer.Weights(3))),
            dense.Append(Tuning()).Append(_ml.Transforms.FineTune(1)).Append(_ml.Transforms.Quantize(s_two)) })
        {
            var scales = other.Fit(data).LastTransformer.Network["fc1.weight"].Grid!.Scales;
            Assert.IsFalse(scales.SequenceEqual(last.Network["fc1.weight"].Grid!.Scales));
        }

        FineTuneEstimator Tuning() => _ml.Transforms.FineTune(new TrainingOptions { Epochs = 1, Quantization = s_two });
    }

    [TestMethod]
    public void A_trainer_that_rounds_between_layers_ends_in_what_onnx_runtime_computes_once_it_is_quantised()
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(),
            Layer.Dense(10));
        var steps = new List<NeuralNetworkTransformer>();
        var data = Digits.Load(_ml);
        var chain = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(10) with { Network = network,
            Quantization = Quantizer.Int8() }).WithOnFitDelegate(steps.Add)).Append(_ml.Transforms.Quantize());
        var model = chain.Fit(data);
        var (trained, report) = (steps[0].GetReport<TrainingReport>(), model.LastTransformer.GetReport<QuantizationReport>());
        Assert.AreEqual(trained.Epochs[^1].Validation!.Loss, report.After!.Loss, 5e-3);
        // Floats for half of the epochs, of one training.
        CollectionAssert.AreEqual(Enumerable.Range(1, 10).ToArray(), trained.Epochs.Select(epoch => epoch.Epoch).ToArray());
        Assert.IsTrue(trained.Epochs.All(epoch => epoch.Epochs == 10 && epoch.Floats is null == epoch.Epoch <= 5));
        Assert.IsGreaterThan(0.9, report.After.Metric);
        // A network that is pruned from there on starts from weights of its own graph.
        var pruned = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(1) with { Network = network,
            Quantization = Quantizer.Int8() })).Append(_ml.Transforms.Prune(0.5)).Append(_ml.Transforms.Quantize()).Fit(data);
        Assert.IsGreaterThan(0.4, pruned.LastTransformer.Masks.Values.Sum(mask => mask.Count - (double)Kept(mask)) / pruned.LastTransformer.Masks.Values
            .Sum(mask => mask.Count));
        var folder = Directory.CreateTempSubdirectory();
        _ml.Compression().Save(model, data.Schema, Path.Combine(folder.FullName, "model.zip"));
        var loaded = _ml.Compression().Load(Path.Combine(folder.FullName, "model.zip"), out _);
        CollectionAssert.AreEqual(Scores(model), Scores(loaded));
        folder.Delete(recursive: true);

        float[] Scores(ITransformer one) => [.. one.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row)];
        static int Kept(WeightMask mask) => Enumerable.Range(0, mask.Count).Count(i => mask[i]);
    }

    [TestMethod]
    [DataRow("Weights(2)")]
    [DataRow("Int8")]
    public void A_loaded_model_is_quantised_with_the_steps_that_its_training_learned(string form)
    {
        var quantizer = Notation.Parse<Quantizer>(form, null);
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(8, 3), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(10));
        var data = Digits.Load(_ml);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(4) with { Network = network,
            Quantization = quantizer })).Fit(data);
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model.zip");
        _ml.Compression().Save(model, data.Schema, path);
        var loaded = _ml.Compression().Load(path, out _);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        QuantizationReport? report = null;
        Network Quantized(ITransformer one, QuantizationRange range)
        {
            var last = _ml.Transforms.Quantize(new QuantizationOptions { Quantizer = quantizer, WeightRange = range, Seed = 1 }).Fit(one.Transform(data));
            report = last.GetReport<QuantizationReport>();
            return last.Network;
        }

        var (before, after) = (Quantized(model, QuantizationRange.MinMax), Quantized(loaded, QuantizationRange.MinMax));
        Assert.AreEqual(model.LastTransformer.GetReport<TrainingReport>().Epochs[^1].Validation!.Loss, report!.After!.Loss, 5e-3);
        Assert.IsTrue(before.Parameters.Count(parameter => parameter.Grid is not null) >= 2);
        foreach (var parameter in before.Parameters)
        {
            Assert.AreSequenceEqual(parameter.Values.ToArray(), after[parameter.Name].Values.ToArray(), parameter.Name);
        }

        // A range that is asked for is measured.
        Assert.IsFalse(Quantized(loaded, QuantizationRange.MeanSquaredError)["fc1.weight"].Grid!.Scales.SequenceEqual(after["fc1.weight"].Grid!.Scales));
    }

    [TestMethod]
    public void Steps_in_a_file_that_are_not_those_of_its_network_are_refused()
    {
        var data = Digits.Load(_ml);
        var plan = (QuantizationPlan)Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(1) with
        {
            Quantization = Quantizer.Int8(),
        })).Fit(data).LastTransformer.State.Steps!;
        var weight = plan.Weights[0];
        var (tensor, root) = plan.Tensors[0];
        Read(plan);
        foreach (var (wrong, name) in new[]
        {
            (plan with { Weights = [weight with { Name = "nothing" }] }, "nothing"),
            (plan with { Weights = [weight with { Grid = weight.Grid with { Scales = weight.Grid.Scales[1..] } }] }, weight.Name),
            (plan with { Weights = [weight with { Grid = weight.Grid with { Scales = weight.Grid.Scales.SetItem(0, -1) } }] }, weight.Name),
            (plan with { Weights = [weight with { Grid = weight.Grid with { Axis = 7 } }] }, weight.Name),
            (plan with { Weights = [.. plan.Weights.Skip(1)] }, plan.Layers[0].Node.Name),
            (plan with { Tensors = [("nothing", root)] }, "nothing"),
            (plan with { Ranges = plan.Ranges.SetItem(root, (float.NaN, 3)) }, tensor),
            (plan with { Tensors = [.. plan.Tensors.Skip(1)] }, plan.Layers[0].Node.Name),
            (plan with { Layers = [plan.Layers[0] with { Node = plan.Layers[0].Node.WithOutputs(["nothing"]) }] }, "its layers"),
        })
        {
            StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => Read(wrong)).Message, name);
        }

        void Read(QuantizationPlan written)
        {
            var archive = new ModelArchive();
            ArchivedSteps.Write(archive, "steps.json", written with { Quantizer = plan.Quantizer });
            ArchivedSteps.Read(archive, "steps.json", plan.Network);
        }
    }

    [TestMethod]
    public void A_student_is_distilled_with_rounding()
    {
        var steps = new List<NeuralNetworkTransformer>();
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(8)))
            .Append(_ml.Transforms.Distill(Dense(8) with { Network = Network.Mlp(64, 32, 10), Quantization = Quantizer.Weights(3) })
                .WithOnFitDelegate(steps.Add))
            .Append(_ml.Transforms.Quantize(Quantizer.Weights(3))).Fit(Digits.Load(_ml));
        var (student, report) = (steps[0].GetReport<TrainingReport>(), model.LastTransformer.GetReport<QuantizationReport>());
        Assert.AreEqual(student.Epochs[^1].Validation!.Loss, report.After!.Loss, 1e-4);
        Assert.IsLessThan(student.Epochs[0].Validation!.Loss / 2, report.After.Loss);
        Assert.IsLessThan(0.05, student.Epochs[^1].Floats!.Metric - report.After.Metric);
    }

    [TestMethod]
    public void Masks_hold_through_a_fine_tuning_that_rounds()
    {
        var last = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Dense(2))).Append(_ml.Transforms.Prune(0.8))
            .Append(_ml.Transforms.FineTune(new TrainingOptions { Epochs = 2, Quantization = Quantizer.Int8() })).Append(_ml.Transforms.Quantize())
            .Fit(Digits.Load(_ml)).LastTransformer;
        foreach (var (name, mask) in last.Masks)
        {
            var values = last.Network[name].Values.ToArray();
            Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || values[i] == 0), name);
        }
    }

    [TestMethod]
    public void What_cannot_be_trained_so_is_refused()
    {
        var rounding = new TrainingOptions { Quantization = s_two };
        Assert.Contains("LastLayers", Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTune(rounding with { LastLayers = 1 })).Message);
        Assert.Contains("RewindEpoch", Assert.Throws<ArgumentException>(() => _ml.MulticlassClassification.Trainers.NeuralNetwork(
            Dense(2) with { Quantization = s_two, RewindEpoch = 1 })).Message);
        Assert.Contains("Prune", Assert.Throws<ArgumentException>(() => _ml.Transforms.Prune(new PruningOptions { FineTuning = rounding })).Message);
        Assert.Contains("AutoPrune", Assert.Throws<ArgumentException>(() => _ml.Transforms.AutoPrune(new AutoPruneOptions { Budget = Budget.Parameters(9),
            FineTuning = rounding })).Message);
        Assert.Contains("Quantize", Assert.Throws<ArgumentException>(() => _ml.Transforms.Quantize(new QuantizationOptions { Epochs = 1,
            FineTuning = rounding })).Message);
        Assert.Contains("Ternary is not trained", Assert.Throws<ArgumentException>(() => Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers
            .NeuralNetwork(Dense(1) with { Quantization = Quantizer.Ternary })).Fit(Digits.Load(_ml))).Message);
    }

    private static NeuralNetworkOptions Dense(int epochs)
        => new() { Network = Network.Mlp(64, 48, 32, 10), Epochs = epochs, LearningRate = 3e-3, ValidationFraction = 0.2 };
}
