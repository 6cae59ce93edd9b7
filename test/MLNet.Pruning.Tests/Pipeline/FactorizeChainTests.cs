using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Factorisation inside a chain, behind training and before all that goes on with the smaller layers.</summary>
[TestClass]
public class FactorizeChainTests
{
    private static NeuralNetworkOptions Wide => new() { Network = Network.Mlp(64, 96, 64, 10), Epochs = 8, LearningRate = 3e-3, ValidationFraction = 0.2 };

    [TestMethod]
    public void A_trained_network_keeps_its_accuracy_in_half_of_its_parameters()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Wide))
            .Append(ml.Transforms.Factorize(Factorizer.DataAwareSvd, Rank.Fixed(24).For("fc2", 16))).Fit(data.TrainSet);
        var report = model.LastTransformer.GetReport<FactorizationReport>();
        Assert.AreEqual(24 * (64 + 96), report.Layers[0].ParametersAfter);
        Assert.AreEqual("16", report.Layers[1].Rank);
        Assert.Contains("greatest rank is 10", report.Layers[2].Reason!);
        Assert.AreEqual(report.Costs[0].After, model.LastTransformer.Network.ParameterCount);
        Assert.AreEqual(report.Costs[0].Before - 64 * 96 - 96 * 64 + 24 * 160 + 16 * 160, report.Costs[0].After);
        Assert.IsLessThan(0.03, report.Before!.Metric - report.After!.Metric);
        Assert.IsGreaterThan(0.92, ml.MulticlassClassification.Evaluate(model.Transform(data.TestSet)).MicroAccuracy);
    }

    [TestMethod]
    public void Training_teaching_pruning_and_quantising_go_on_with_the_smaller_layers()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Wide))
            .Append(ml.Transforms.Factorize(Factorizer.DataAwareSvd, Rank.Fixed(24)))
            .Append(ml.Transforms.FineTune(new TrainingOptions { Epochs = 3, LearningRate = 1e-3, Distillation = Distillation.Response() }))
            .Append(ml.Transforms.Prune(0.2, granularity: Granularity.Neuron, fineTuneEpochs: 4))
            .Append(ml.Transforms.Quantize()).Fit(data.TrainSet);
        Assert.IsGreaterThan(0.9, ml.MulticlassClassification.Evaluate(model.Transform(data.TestSet)).MicroAccuracy);
        var steps = ((IEnumerable<ITransformer>)model).OfType<NeuralNetworkTransformer>().ToArray();
        Assert.IsLessThan(steps[1].Network.ParameterCount, steps[3].Network.ParameterCount);
        Assert.IsEmpty(steps[4].GetReport<QuantizationReport>().Unquantized);

        var path = Path.GetTempFileName();
        ml.Compression().Save(model, Digits.Load(ml).Schema, path);
        var loaded = ml.Compression().Load(path, out _);
        File.Delete(path);
        CollectionAssert.AreEqual(Scores(model), Scores(loaded));
        Assert.AreEqual(steps[1].Report!.ToString(), ((IEnumerable<ITransformer>)loaded).OfType<NeuralNetworkTransformer>().ElementAt(1).Report!.ToString());

        float[] Scores(ITransformer transformer) => [.. transformer.Transform(data.TestSet).GetColumn<float[]>("Score").SelectMany(row => row)];
    }

    [TestMethod]
    public void Ranks_by_metric_and_by_sensitivity_are_measured_on_the_validation_rows()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var trained = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Wide)).Fit(data);
        FactorizationReport Fit(Rank rank) => ml.Transforms.Factorize(new FactorizationOptions { Factorizer = Factorizer.Pca, Rank = rank, Seed = 1 })
            .Fit(trained.Transform(data)).GetReport<FactorizationReport>();
        var small = Fit(Rank.Within(Budget.MetricLoss(0.01)));
        Assert.IsLessThanOrEqualTo(0.01 + 1e-9, small.Before!.Metric - small.After!.Metric);
        Assert.IsLessThan(0.7 * small.Costs[0].Before, (long)small.Costs[0].After);
        var sensitive = Fit(Rank.BySensitivity(Budget.Parameters((long)small.Costs[0].After)));
        Assert.IsLessThanOrEqualTo((long)small.Costs[0].After, sensitive.Costs[0].After);
        Assert.IsLessThan(0.05, sensitive.Before!.Metric - sensitive.After!.Metric);
        var both = Fit(Rank.Within(Budget.MetricLoss(0.02) + Budget.Parameters((long)small.Costs[0].After)));
        Assert.IsLessThanOrEqualTo((long)small.Costs[0].After, both.Costs[0].After);
        var error = Assert.ThrowsExactly<UnreachableBudgetException>(() => Fit(Rank.Within(Budget.MetricLoss(0.01) + Budget.Parameters(1000))));
        Assert.Contains("of the metric", error.Message);
        Assert.IsGreaterThan(0.1, error.Missing);
    }

    [TestMethod]
    public void The_score_of_a_chain_is_what_onnx_runtime_computes_with_the_file()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Factorize(rank: Rank.Fraction(0.5))).Fit(data);
        var compact = ml.Model.Load(Saved(ml, model, data), out _);
        Close.AreEqual([.. model.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row)],
            compact.Transform(data).GetColumn<float[]>("Score").SelectMany(row => row).ToArray(), 1e-6, "scores");
        (compact as IDisposable)?.Dispose();

        static MemoryStream Saved(MLContext ml, TransformerChain<NeuralNetworkTransformer> model, IDataView data)
        {
            var stream = new MemoryStream();
            ml.Model.Save(model.Compact(), data.Schema, stream);
            stream.Position = 0;
            return stream;
        }
    }

    [TestMethod]
    public void Pruned_weights_stay_zero()
    {
        var ml = new MLContext(1);
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.5), Scope = Scope.Network.Only("fc2") }));
        var last = chain.Append(ml.Transforms.Factorize(rank: Rank.Fixed(8))).Fit(Digits.Load(ml)).LastTransformer;
        Assert.Contains("160 of the 320 values of its weight are pruned", last.GetReport<FactorizationReport>().Layers[1].Reason!);
        Assert.IsNull(last.GetReport<FactorizationReport>().Layers[0].Reason);
        Assert.AreEqual(160, last.Masks["fc2.weight"].Kept);
    }

    [TestMethod]
    public void A_network_that_would_not_get_smaller_is_handed_on_with_the_reasons()
    {
        var ml = new MLContext(1);
        var warnings = new List<string>();
        ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            {
                warnings.Add(e.Message);
            }
        };
        var last = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Factorize(rank: Rank.Energy(1))).Fit(Digits.Load(ml)).LastTransformer;
        var report = last.GetReport<FactorizationReport>();
        Assert.AreEqual(report.Costs[0].Before, report.Costs[0].After);
        Assert.Contains("at rank 10 it would have 420 parameters in the place of 320", report.Layers[1].Reason!);
        Assert.ContainsSingle(warning => warning.Contains("No layer got smaller", StringComparison.Ordinal), warnings);
    }

    [TestMethod]
    public void What_was_removed_before_is_taken_apart_too_and_a_cancellation_is_answered()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var pruned = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Wide))
            .Append(ml.Transforms.Prune(0.3, granularity: Granularity.Neuron, fineTuneEpochs: 2)).Fit(data);
        var view = pruned.Transform(data);
        var last = ml.Transforms.Factorize(Factorizer.Pca, Rank.Fixed(16)).Fit(view);
        Assert.AreEqual(16 * (64 + pruned.LastTransformer.Network["fc1.weight"].Shape[0]), last.GetReport<FactorizationReport>().Layers[0].ParametersAfter);
        using var source = new CancellationTokenSource();
        source.Cancel();
        var step = ml.Transforms.Factorize(new FactorizationOptions { CancellationToken = source.Token });
        Assert.Throws<OperationCanceledException>(() => step.Fit(view));
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits()
    {
        float[][] runs = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            var ml = new MLContext(1);
            var network = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
                .Append(ml.Transforms.Factorize(new FactorizationOptions { Rank = Rank.Fixed(9), CalibrationRows = 300 })).Fit(Digits.Load(ml))
                .LastTransformer.Network;
            return network.Parameters.SelectMany(parameter => parameter.Values.ToArray()).ToArray();
        })];
        CollectionAssert.AreEqual(runs[0], runs[1]);
    }

    [TestMethod]
    public void What_cannot_be_is_refused_by_name()
    {
        var network = Network.Mlp(8, 12, 4).Initialize(1);
        string Refused(Func<Network> factorize) => Assert.Throws<ArgumentException>(() => factorize()).Message;
        Assert.Contains("expected at most 4", Refused(() => network.Factorize(Factorizer.Svd, Rank.Energy(0.9).For("fc2", 5))));
        Assert.Contains("'fc9'", Refused(() => network.Factorize(Factorizer.Svd, Rank.Energy(0.9).For("fc9", 2))));
        Assert.Contains("'fc9'", Refused(() => network.Factorize(Factorizer.Svd, Rank.Fixed(2), scope: Scope.Network.Only("fc9"))));
        Assert.Contains("it is none (Gemm)", Refused(() => network.Factorize(Factorizer.Tucker2 + Factorizer.Cp(), Rank.Fixed(2))));
        Assert.Contains("multiple of the 8 values", Refused(() => network.Factorize(Factorizer.Pca, Rank.Fixed(2), new float[9])));
        var broken = network.With("fc1.weight", [float.NaN, .. new float[95]]);
        Assert.Contains("'fc1.weight' is NaN", Refused(() => broken.Factorize(Factorizer.Svd, Rank.Fixed(2))));
        Assert.Contains("calibration rows", Assert.ThrowsExactly<InvalidOperationException>(() => network.Factorize(Factorizer.Pca, Rank.Fixed(2))).Message);
        Assert.Contains("not finite", Assert.ThrowsExactly<InvalidOperationException>(() => network.Factorize(Factorizer.Pca, Rank.Fixed(2),
            [1, 2, 3, float.NaN, 5, 6, 7, 8])).Message);
        Assert.Contains("no values yet", Assert.ThrowsExactly<InvalidOperationException>(() => Network.Mlp(8, 12, 4).Factorize(Factorizer.Svd, Rank.Fixed(2)))
            .Message);
    }
}
