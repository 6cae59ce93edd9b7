using MLNet.Pruning.Tests.Compression.Automation;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Early stopping, tolerances, budgets, trees and reports go by the metric that is asked for, in its direction.</summary>
[TestClass]
public class MetricChainTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Early_stopping_goes_by_the_metric_and_its_direction()
    {
        var options = Digits.Options(60);
        options = options with { EarlyStoppingPatience = 3, Seed = 3, LearningRate = 2e-2, Metric = Metric.LogLoss };
        var stopped = Train(options);
        var best = stopped.GetReport<TrainingReport>().Epochs.MinBy(epoch => epoch.Validation!.Metric)!;
        Assert.AreEqual(best.Epoch + 3, stopped.GetReport<TrainingReport>().Epochs.Count, "three epochs after the first of least loss");
        foreach (var epoch in stopped.GetReport<TrainingReport>().Epochs)
        {
            Assert.AreEqual(epoch.Validation!.Loss, epoch.Validation.Metric, 1e-5, "cross-entropy is what is trained by");
            StringAssert.Contains(epoch.ToString(), "validation log-loss ");
        }

        options = options with { Epochs = best.Epoch, EarlyStoppingPatience = null };
        CollectionAssert.AreEqual(Train(options).Network["fc1.weight"].Values.ToArray(), stopped.Network["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void A_metric_of_ones_own_is_told_every_epoch_and_kept_to()
    {
        // The share of the sevens that are found: what a user may care for.
        var sevens = Metric.Of("sevens", MetricDirection.HigherIsBetter, rows =>
        {
            var there = Enumerable.Range(0, rows.Rows).Where(row => rows.Labels[row] == 7).ToArray();
            return there.Length == 0 ? double.NaN : there.Average(row => rows.PredictedClass(row) == 7 ? 1.0 : 0);
        });
        var options = Digits.Options(5);
        options = options with { Metric = sevens };
        var told = new List<PruningStep>();
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Append(_ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.99), Importance = Importance.Random(3), Schedule = Schedule.Linear(3), FineTuneEpochs = 0, Tolerance = 0.05,
        })).Fit(Digits.Load(_ml)).LastTransformer;
        var report = model.GetReport<PruningReport>();
        Assert.AreEqual("sevens", report.Before!.Name);
        Assert.IsTrue(report.StoppedEarly);
        Assert.IsGreaterThan(0.05, report.Before.Metric - report.Steps[^1].Validation!.Metric);
    }

    [TestMethod]
    public void A_tolerance_of_an_error_bounds_its_rise()
    {
        var report = Numbers(new() { Tolerance = 0.02, Metric = Metric.MeanAbsoluteError }).GetReport<PruningReport>();
        Assert.AreEqual("MAE", report.Before!.Name);
        Assert.IsTrue(report.StoppedEarly, report.ToString());
        foreach (var step in report.Steps)
        {
            Assert.AreEqual(step.Kept, step.Validation!.Metric - report.Before.Metric <= 0.02, step.ToString());
        }
    }

    [TestMethod]
    public void A_budget_bounds_the_rise_of_a_loss()
    {
        var report = DigitSearch.Prune(new() { Budget = Budget.MetricLoss(0.2), Metric = Metric.LogLoss, Sparsities = DigitSearch.Sparsities,
            FineTuneEpochs = 0, Seed = 1 });
        var (before, after) = (report.GetReport<AutoPruneReport>().Before, report.GetReport<AutoPruneReport>().After);
        Assert.AreEqual(DigitSearch.Measure(DigitSearch.Network).Loss, before.Metric, 1e-5);
        Assert.AreEqual("log-loss", after.Name);
        Assert.IsLessThanOrEqualTo(0.2 + 1e-9, after.Metric - before.Metric);
        var beyond = report.GetReport<AutoPruneReport>().Trials.Where(trial => !trial.Meets).ToArray();
        Assert.IsNotEmpty(beyond);
        Assert.IsTrue(beyond.All(trial => trial.Validation.Metric - before.Metric > 0.2));
        Assert.IsLessThan(report.GetReport<AutoPruneReport>().Costs[0].Before, report.GetReport<AutoPruneReport>().Costs[0].After);
    }

    [TestMethod]
    [DataRow("boosted sides", "log-loss", 0.05)]
    [DataRow("boosted sides", "F1", 0.02)]
    [DataRow("forest of sides", "accuracy", 0.02)]
    [DataRow("boosted numbers", "RMSE", 0.05)]
    [DataRow("forest of numbers", "MAE", 0.05)]
    public void Trees_are_pruned_by_the_metric_that_ML_NET_measures(string kind, string name, double loss)
    {
        var rows = _ml.View(TreeTables.Make(600, seed: 4));
        var held = _ml.View(TreeTables.Make(400, seed: 5));
        var trees = _ml.Fit(kind, rows, trees: 20);
        var options = new TreePruningOptions { Budget = Budget.MetricLoss(loss), Metric = Metric.Named(name), ValidationData = held,
            LabelColumnName = TreeTables.Label(kind) };
        var pruned = _ml.Transforms.PruneTrees(trees, options).Fit(rows);
        Assert.AreEqual(name, pruned.Report.MetricName);
        Assert.AreEqual(Evaluate(trees), pruned.Report.MetricBefore, 1e-5);
        Assert.AreEqual(Evaluate(pruned), pruned.Report.MetricAfter, 1e-5);
        Assert.IsLessThanOrEqualTo(loss + 1e-9, Metric.Named(name).Loss(pruned.Report.MetricBefore, pruned.Report.MetricAfter));
        Assert.IsLessThan(pruned.Report.Before.Nodes, pruned.Cost.Nodes);

        double Evaluate(ITransformer model) => name switch
        {
            "log-loss" => _ml.BinaryClassification.Evaluate(model.Transform(held), "Side").LogLoss * Math.Log(2),
            "F1" => _ml.BinaryClassification.EvaluateNonCalibrated(model.Transform(held), "Side").F1Score,
            "accuracy" => _ml.BinaryClassification.EvaluateNonCalibrated(model.Transform(held), "Side").Accuracy,
            "RMSE" => _ml.Regression.Evaluate(model.Transform(held)).RootMeanSquaredError,
            _ => _ml.Regression.Evaluate(model.Transform(held)).MeanAbsoluteError,
        };
    }

    [TestMethod]
    public void Trees_without_probabilities_and_of_numbers_refuse_metrics_that_need_other_ones()
    {
        var rows = _ml.View(TreeTables.Make(300, seed: 4));
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => Prune("forest of sides", Metric.LogLoss));
        StringAssert.Contains(e.Message, "calibrated");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Prune("boosted numbers", Metric.AreaUnderRocCurve)).Message, "R2, MAE, RMSE");

        void Prune(string kind, Metric metric)
            => _ml.Transforms.PruneTrees(_ml.Trainer(kind), new TreePruningOptions { Metric = metric, LabelColumnName = TreeTables.Label(kind) }).Fit(rows);
    }

    [TestMethod]
    public void A_metric_that_does_not_fit_is_refused_before_anything_is_trained()
    {
        var auc = Digits.Options();
        auc = auc with { Metric = Metric.AreaUnderRocCurve };
        Refused(() => _ml.MulticlassClassification.Trainers.NeuralNetwork(auc), "'AUC' does not fit a Multiclass task", "macro-F1");
        var epochs = 0;
        var options = Digits.Options();
        options = options with { Progress = new Told<EpochResult>(_ => epochs++) };
        var dense = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options));
        var data = Digits.Load(_ml);
        Refused(() => dense.Append(_ml.Transforms.Prune(new PruningOptions { Metric = Metric.RSquared })).Fit(data), "'R2' does not fit a Multiclass task",
            "accuracy");
        Refused(() => dense.Append(_ml.Transforms.Prune(new PruningOptions { FineTuning = new() { Metric = Metric.F1 } })).Fit(data), "'F1'", "macro-F1");
        Refused(() => dense.Append(_ml.Transforms.FineTune(new TrainingOptions { Metric = Metric.RSquared })).Fit(data), "'R2'", "accuracy");
        Refused(() => dense.Append(_ml.Transforms.AutoPrune(new AutoPruneOptions { Budget = Budget.MetricLoss(0.1), Metric = Metric.MeanAbsoluteError }))
            .Fit(data), "'MAE'", "accuracy");
        Refused(() => DigitSearch.Chain(_ml).Append(_ml.Transforms.Prune(new PruningOptions { Metric = Metric.Recall })).Fit(data), "'recall'", "macro-recall");
        Assert.AreEqual(0, epochs);

        static void Refused(Action act, params string[] parts)
        {
            var e = Assert.ThrowsExactly<ArgumentException>(act);
            Assert.IsTrue(parts.All(e.Message.Contains), e.Message);
        }
    }

    [TestMethod]
    public void What_cannot_be_computed_is_refused_where_something_hangs_on_it()
    {
        // Labels of the validation rows are all the same: nothing for R squared to explain.
        var rows = Enumerable.Range(0, 40).Select(i => new Number { Features = [i, 1], Label = 3 });
        var data = _ml.Data.LoadFromEnumerable(rows);
        NeuralNetworkOptions Options() => new() { Network = Network.Mlp(2, 3, 1), Epochs = 2, ValidationFraction = 0.25 };
        var plain = _ml.Regression.Trainers.NeuralNetwork(Options()).Fit(data);
        StringAssert.Contains(plain.GetReport<TrainingReport>().Epochs[^1].ToString(), "R2 NA");
        var stopping = Options();
        stopping = stopping with { EarlyStoppingPatience = 1 };
        var e = Assert.ThrowsExactly<MetricException>(() => _ml.Regression.Trainers.NeuralNetwork(stopping).Fit(data));
        Assert.AreEqual("R2", e.MetricName);
        StringAssert.Contains(e.Message, "labels that differ");
        Assert.ThrowsExactly<MetricException>(() => _ml.Regression.Trainers.NeuralNetwork(Options())
            .Append(_ml.Transforms.Prune(new PruningOptions { Tolerance = 0.1 })).Fit(data));
        Assert.ThrowsExactly<MetricException>(() => _ml.Regression.Trainers.NeuralNetwork(Options()).Append(_ml.Transforms.AutoPrune(Budget.Parameters(8)))
            .Fit(data));
        _ml.Regression.Trainers.NeuralNetwork(Options()).Append(_ml.Transforms
            .Prune(new PruningOptions { Tolerance = 100, Metric = Metric.RootMeanSquaredError })).Fit(data);
    }

    [TestMethod]
    public void A_file_keeps_the_name_of_the_metric_and_says_where_a_function_is_missing()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var data = Digits.Load(_ml);
        try
        {
            foreach (var metric in new[] { Metric.TopK(3), Metric.MeanOf("mine", MetricDirection.LowerIsBetter, (_, _) => 1) })
            {
                var options = Digits.Options(1);
                options = options with { Metric = metric };
                _ml.Compression().Save(Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(data), data.Schema, path);
                var loaded = _ml.Compression().Load(path, out _).Transform(data);
                if (metric.Name == "top-3")
                {
                    Assert.AreEqual("top-3", _ml.Transforms.Prune(0.5).Fit(loaded).GetReport<PruningReport>().Before!.Name);
                }
                else
                {
                    StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.Prune(0.5).Fit(loaded)).Message, "'mine'");
                    Assert.AreEqual("accuracy", _ml.Transforms.Prune(new PruningOptions { Metric = Metric.Accuracy }).Fit(loaded)
                        .GetReport<PruningReport>().Before!.Name);
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private NeuralNetworkTransformer Train(NeuralNetworkOptions options)
        => Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(Digits.Load(_ml)).LastTransformer;

    private NeuralNetworkTransformer Numbers(PruningOptions pruning)
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 300).Select(_ => (A: random.NextSingle(), B: random.NextSingle()))
            .Select(row => new Number { Features = [row.A, row.B], Label = row.A * row.B });
        pruning = pruning with { Amount = Amount.Fraction(0.95), Schedule = Schedule.Linear(6), FineTuneEpochs = 0 };
        return _ml.Regression.Trainers.NeuralNetwork(new NeuralNetworkOptions { Network = Network.Mlp(2, 16, 1), Epochs = 40, LearningRate = 1e-2, Seed = 1 })
            .Append(_ml.Transforms.Prune(pruning))
            .Fit(_ml.Data.LoadFromEnumerable(rows.ToArray())).LastTransformer;
    }

    private sealed class Number
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    private sealed class Told<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }
}
