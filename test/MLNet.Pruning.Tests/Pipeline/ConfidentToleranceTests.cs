using MLNet.Pruning.Evaluation.Metrics.Confidence;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>A tolerance with confidence in a chain.</summary>
[TestClass]
public class ConfidentToleranceTests
{
    private const int Seed = 5;
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Steps_are_kept_as_long_as_the_bound_is_within()
    {
        var report = Run(new() { Tolerance = Tolerance.Confident(0.06) }, validation: 0.3, out var dense, out var pruned).GetReport<PruningReport>();
        Assert.IsTrue(report.StoppedEarly, report.ToString());
        Assert.IsTrue(report.Steps[0].Kept, report.ToString());
        foreach (var step in report.Steps)
        {
            Assert.AreEqual(report.Before!.Metric - step.Validation!.Metric, step.Bound!.Loss, 1e-9);
            Assert.IsGreaterThan(step.Bound.Loss, step.Bound.Most);
            Assert.AreEqual(step.Bound.Most <= 0.06, step.Kept);
            StringAssert.Contains(step.ToString(), $"at most {step.Bound.Most.ToString("0.0000", System.Globalization.CultureInfo.InvariantCulture)} with 95 "
                + "% confidence");
        }

        // The last step kept, row by row: who is right is told by the scored rows themselves, the rows by the split that the trainer documents.
        var labels = Predictions(dense).Select(row => row.Label).ToArray();
        var held = Enumerable.Range(0, labels.Length).ToArray();
        new Random(Seed).Shuffle(held);
        var rows = held[..(int)Math.Round(labels.Length * 0.3)];
        var (before, after) = (Predictions(dense), Predictions(pruned));
        var lost = rows.Count(row => before[row].PredictedLabel == labels[row] && after[row].PredictedLabel != labels[row]);
        var gained = rows.Count(row => before[row].PredictedLabel != labels[row] && after[row].PredictedLabel == labels[row]);
        Assert.AreEqual(PairedProportions.Upper(rows.Length, lost, gained, 0.05), report.Steps.Last(step => step.Kept).Bound!.Most, 1e-9);
    }

    [TestMethod]
    public void Few_rows_prove_too_little_to_prune_at_all()
    {
        // The plain tolerance goes on where nothing is lost on 36 rows, of which a twelfth could still be lost.
        Assert.IsTrue(Run(new() { Tolerance = 0.05 }, validation: 0.02, out _, out _).GetReport<PruningReport>().Steps[0].Kept);
        var report = Run(new() { Tolerance = Tolerance.Confident(0.05) }, validation: 0.02, out var dense, out var pruned).GetReport<PruningReport>();
        Assert.IsFalse(report.Steps.Single().Kept);
        CollectionAssert.AreEqual(dense.Network["fc1.weight"].Values.ToArray(), pruned.Network["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void It_goes_with_any_metric_with_training_while_pruning_and_through_a_file()
    {
        foreach (var metric in new[] { Metric.LogLoss, Metric.MacroF1 })
        {
            var step = Run(new() { Tolerance = Tolerance.Confident(0.5, 0.9), Metric = metric }, validation: 0.2, out _, out _)
                .GetReport<PruningReport>().Steps[0];
            Assert.AreEqual(0.9, step.Bound!.Confidence);
            Assert.IsGreaterThan(step.Bound.Loss, step.Bound.Most);
        }

        var moving = new PruningOptions { Tolerance = Tolerance.Confident(0.5), Training = SparseTraining.Gradual(every: 10), FineTuneEpochs = 1 };
        Assert.IsNotNull(Run(moving, validation: 0.2, out _, out var pruned).GetReport<PruningReport>().Steps.Single().Bound);
        var (path, schema) = (Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
            Digits.Prepare(_ml).Fit(Digits.Load(_ml)).GetOutputSchema(Digits.Load(_ml).Schema));
        try
        {
            _ml.Compression().Save(pruned, schema, path);
            Assert.AreEqual(pruned.GetReport<PruningReport>().Steps[0].Bound,
                ((NeuralNetworkTransformer)_ml.Compression().Load(path, out _)).GetReport<PruningReport>().Steps[0].Bound);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Early_stopping_on_the_same_rows_and_numbers_out_of_range_are_refused()
    {
        var options = new PruningOptions { Tolerance = Tolerance.Confident(0.1), Schedule = Schedule.Linear(2), FineTuneEpochs = 1,
            FineTuning = new() { EarlyStoppingPatience = 1 } };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Run(options, validation: 0.2, out _, out _)).Message, "Early stopping");
        Assert.ThrowsExactly<InvalidOperationException>(() => Run(new() { Tolerance = Tolerance.Confident(0.1) }, validation: 0, out _, out _));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Tolerance.Confident(-0.1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Tolerance.Confident(0.1, 1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Tolerance.Confident(0.1, 0.4));
        Assert.AreEqual("Confident(0.1, 0.95)", Tolerance.Confident(0.1).ToString());
    }

    private NeuralNetworkTransformer Run(PruningOptions options, double validation, out NeuralNetworkTransformer dense, out NeuralNetworkTransformer pruned)
    {
        NeuralNetworkTransformer? trained = null;
        var training = Digits.Options(6);
        training = training with { Seed = Seed, ValidationFraction = validation };
        options = options with { Amount = Amount.Fraction(0.95) };
        if (options.Training is null && options.FineTuning is null)
        {
            options = options with { Schedule = Schedule.Custom(0.2, 0.5, 0.8), FineTuneEpochs = 0 };
        }

        pruned = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(training).WithOnFitDelegate(network => trained = network))
            .Append(_ml.Transforms.Prune(options))
            .Fit(Digits.Load(_ml)).LastTransformer;
        dense = trained!;
        return pruned;
    }

    private Row[] Predictions(NeuralNetworkTransformer model)
    {
        var data = Digits.Load(_ml);
        return [.. _ml.Data.CreateEnumerable<Row>(model.Transform(Digits.Prepare(_ml).Fit(data).Transform(data)), false)];
    }

    private sealed class Row
    {
        public uint Label { get; set; }

        public uint PredictedLabel { get; set; }
    }
}
