using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary><c>ml.Compression().Evaluate</c> against ML.NET's own evaluators, and metrics of more than predictions in the steps of a chain.</summary>
[TestClass]
public class EvaluateTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_chain_measures_what_ML_NET_measures()
    {
        var data = Digits.Load(_ml);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(_ml.Transforms.Prune(0.5))
            .Fit(data);
        var expected = _ml.MulticlassClassification.Evaluate(model.Transform(data), topKPredictionCount: 3);
        var report = _ml.Compression().Evaluate(model, data, Metric.Accuracy, Metric.MacroRecall, Metric.LogLoss, Metric.TopK(3), Metric.Sparsity,
            Metric.Parameters);
        Assert.AreEqual(expected.MicroAccuracy, report[Metric.Accuracy], 1e-9);
        Assert.AreEqual(expected.MacroAccuracy, report[Metric.MacroRecall], 1e-9);
        Assert.AreEqual(expected.LogLoss, report[Metric.LogLoss], 1e-5);
        Assert.AreEqual(expected.TopKAccuracy, report[Metric.Named("top-3")], 1e-9);
        var weights = model.LastTransformer.Network.Parameters.Where(parameter => parameter.Name.EndsWith(".weight")).SelectMany(one => one.Values.ToArray());
        Assert.AreEqual(weights.Average(weight => weight == 0 ? 1.0 : 0), report[Metric.Sparsity], 1e-9);
        Assert.AreEqual(64 * 32 + 32 + 32 * 10 + 10, report[Metric.Parameters]);
        Assert.AreEqual("accuracy", report.Values[0].Name);
        StringAssert.Contains(report.ToString(), "macro-recall");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => report[Metric.F1]).Message, "accuracy, macro-recall");
    }

    [TestMethod]
    public void Without_metrics_those_that_fit_are_measured()
    {
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Fit(Digits.Load(_ml));
        var names = _ml.Compression().Evaluate(model, Digits.Load(_ml)).Values.Select(value => value.Name).ToArray();
        CollectionAssert.IsSubsetOf(new[] { "accuracy", "top-5", "macro-AUC", "weighted-F1", "log-loss", "sparsity", "multiply-adds", "file-size" }, names);
        CollectionAssert.DoesNotContain(names, "R2");
        CollectionAssert.DoesNotContain(names, "latency");
    }

    [TestMethod]
    public void Rows_of_one_class_leave_the_area_undefined_and_say_so()
    {
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(i => new Sided { Features = [i, 1 - i], Label = true }));
        var report = _ml.Compression().Evaluate(Network.Mlp(2, 3, 1).Initialize(1), rows,
            new() { Metrics = [Metric.AreaUnderRocCurve, Metric.Recall] });
        Assert.IsTrue(double.IsNaN(report[Metric.AreaUnderRocCurve]));
        Assert.AreEqual("undefined: it needs rows of both classes", report.Values[0].Note);
        StringAssert.Contains(report.ToString(), "NA");
        Assert.IsNull(report.Values[1].Note);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_by_name()
    {
        var network = Network.Mlp(2, 3, 1).Initialize(1);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(i => new Sided { Features = [i, 1 - i], Label = i % 2 == 0 }));
        string Refusal<T>(Network of, IDataView? data, params Metric[] metrics) where T : Exception
            => Assert.ThrowsExactly<T>(() => _ml.Compression().Evaluate(of, data, new() { Metrics = metrics })).Message;
        StringAssert.Contains(Refusal<ArgumentException>(network, rows, Metric.RSquared), "'R2' does not fit a Binary task");
        StringAssert.Contains(Refusal<ArgumentException>(network, rows, Metric.PeakSignalToNoiseRatio()), "'PSNR'");
        StringAssert.Contains(Refusal<ArgumentException>(network, null, Metric.Accuracy), "'accuracy' needs rows");
        StringAssert.Contains(Refusal<ArgumentException>(network, rows, Metric.GeneralizationGap(Metric.Accuracy)), "the rows that the network was trained");
        StringAssert.Contains(Refusal<ArgumentOutOfRangeException>(Network.Mlp(3, 1).Initialize(1), rows, Metric.Accuracy), "Vector<Single, 3>");
        StringAssert.Contains(Refusal<ArgumentException>(Network.Mlp(2, 1), rows, Metric.Accuracy), "without values");
        var classes = _ml.Transforms.Conversion.MapValueToKey("Label").Fit(Digits.Load(_ml)).Transform(Digits.Load(_ml));
        StringAssert.Contains(Refusal<ArgumentException>(Network.Mlp(64, 10).Initialize(1), classes, Metric.TopK(10)), "10 classes");
        var broken = _ml.Data.LoadFromEnumerable([new Sided { Features = [float.NaN, 1], Label = true }]);
        StringAssert.Contains(Refusal<TrainingDataException>(network, broken, Metric.Accuracy), "Row 0: value 0 of column 'Features'");
        StringAssert.Contains(Refusal<TrainingDataException>(network, _ml.Data.LoadFromEnumerable(Array.Empty<Sided>()), Metric.Accuracy),
            "no rows to measure");
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Compression().Evaluate(_ml.Transforms.NormalizeMinMax("Features").Fit(rows), rows, Metric.Accuracy));
    }

    [TestMethod]
    public void Scores_that_are_not_numbers_are_told()
    {
        var network = Network.Mlp(2, 3, 1).Initialize(1);
        var large = network.WithParameters([.. network.Parameters.Select(parameter => parameter.WithValues([.. parameter.Values.ToArray()
            .Select((_, i) => i % 2 == 0 ? 3e38f : -3e38f)]))]);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(i => new Sided { Features = [3 + i, 2], Label = i % 2 == 0 }));
        var report = _ml.Compression().Evaluate(large, rows, new() { Metrics = [Metric.AreaUnderRocCurve] });
        Assert.AreEqual("undefined: scores are not numbers", report.Values[0].Note);
    }

    [TestMethod]
    public void The_gap_is_what_both_sets_of_rows_measure()
    {
        var data = _ml.Data.TrainTestSplit(Digits.Load(_ml), testFraction: 0.5, seed: 1);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(2))).Fit(data.TrainSet);
        foreach (var of in new[] { Metric.Accuracy, Metric.LogLoss })
        {
            var gap = Metric.GeneralizationGap(of);
            double On(IDataView rows) => _ml.Compression().Evaluate(model, rows, of)[of];
            var expected = of == Metric.Accuracy ? On(data.TrainSet) - On(data.TestSet) : On(data.TestSet) - On(data.TrainSet);
            Assert.AreEqual(expected, _ml.Compression().Evaluate(model, data.TestSet, new EvaluationOptions { Metrics = [gap],
                TrainingData = data.TrainSet })[gap], 1e-12);
            Assert.AreEqual(gap.Name, Metric.Named($"GAP of {of.Name}").Name);
        }
    }

    [TestMethod]
    public void A_tolerance_goes_by_accuracy_under_an_attack_as_it_is_evaluated()
    {
        var robust = Metric.Accuracy.Under(Perturbation.Fgsm(0.05).Within(0, 1));
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(3))).Append(_ml.Transforms.Prune(new
            PruningOptions
        {
            Amount = Amount.Fraction(0.95), Schedule = Schedule.Linear(4), FineTuneEpochs = 0, Tolerance = 0.02, Metric = robust,
        })).Fit(Digits.Load(_ml));
        var report = model.LastTransformer.GetReport<PruningReport>();
        Assert.AreEqual("accuracy under Fgsm(0.05).Within(0, 1)", report.Before!.Name);
        Assert.IsTrue(report.StoppedEarly, report.ToString());
        // The attack does harm, and what is kept is within the tolerance of it.
        var measured = _ml.Compression().Evaluate(model, Digits.Load(_ml), Metric.Accuracy, robust);
        Assert.IsLessThan(measured[Metric.Accuracy] - 0.02, measured[robust]);
        Assert.IsLessThanOrEqualTo(0.02 + 1e-9, report.Before.Metric - report.Steps.Last(step => step.Kept).Validation!.Metric);
    }

    [TestMethod]
    public void A_confident_tolerance_takes_metrics_of_predictions_alone()
    {
        NeuralNetworkTransformer Prune(Metric metric) => Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(2)))
            .Append(_ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(0.3), FineTuneEpochs = 0, Tolerance = Tolerance.Confident(0.2, 0.9), Metric = metric,
            })).Fit(Digits.Load(_ml)).LastTransformer;
        var report = Prune(Metric.Accuracy.Under(Perturbation.GaussianNoise(0.1, 2))).GetReport<PruningReport>();
        Assert.IsTrue(report.Steps[0].Kept, report.ToString());
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Prune(Metric.Sparsity)).Message, "'sparsity'");
    }

    [TestMethod]
    public void Costs_and_gaps_are_measured_in_a_chain()
    {
        var gap = Metric.GeneralizationGap(Metric.LogLoss);
        var options = Digits.Options(2) with { Metric = gap };
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Append(_ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.5), FineTuneEpochs = 0, Metric = Metric.Sparsity,
        })).Fit(Digits.Load(_ml));
        Assert.AreEqual("gap of log-loss", model.OfType<NeuralNetworkTransformer>().First().GetReport<TrainingReport>().Epochs[0].Validation!.Name);
        var report = model.LastTransformer.GetReport<PruningReport>();
        Assert.AreEqual(0, report.Before!.Metric);
        Assert.AreEqual(0.5, report.Steps[^1].Validation!.Metric, 1e-3);
    }

    private sealed class Sided
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
