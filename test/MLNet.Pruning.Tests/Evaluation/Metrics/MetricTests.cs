using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Metrics against ML.NET's own evaluators, against their definitions row by row, and where rows do not define them.</summary>
[TestClass]
public class MetricTests
{
    private const int Classes = 5;
    private readonly MLContext _ml = new(1);

    public static IEnumerable<object[]> All => [.. Metric.All.Append(Metric.TopK(2)).Where(metric => metric.IsOfPredictions)
        .Select(metric => new object[] { metric.Name })];

    [TestMethod]
    [DataRow(1, 400)]
    [DataRow(2, 400)]
    [DataRow(3, 7)]
    public void Those_of_classes_are_ML_NETs(int seed, int count)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, count).Select(_ => (Label: random.Next(Classes),
            Scores: Enumerable.Range(0, Classes).Select(_ => (float)(4 * random.NextDouble())).ToArray())).ToArray();
        var predictions = new Predictions(LearningTask.Multiclass, [.. rows.SelectMany(row => row.Scores)], [.. rows.Select(row => (float)row.Label)]);
        var view = _ml.Data.LoadFromEnumerable(rows.Select(row =>
        {
            var sum = row.Scores.Sum(score => Math.Exp(score));
            return new ClassRow { Label = (uint)row.Label, PredictedLabel = (uint)Array.IndexOf(row.Scores, row.Scores.Max()),
                Score = Array.ConvertAll(row.Scores, score => (float)(Math.Exp(score) / sum)) };
        }));
        var expected = _ml.MulticlassClassification.Evaluate(view, topKPredictionCount: 3);
        Assert.AreEqual(expected.MicroAccuracy, Metric.Accuracy.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.MicroAccuracy, Metric.MicroF1.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.MacroAccuracy, Metric.MacroRecall.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.LogLoss, Metric.LogLoss.Measure(predictions), 1e-6);
        Assert.AreEqual(expected.TopKAccuracy, Metric.TopK(3).Measure(predictions), 1e-12);
        Assert.AreEqual(Metric.Accuracy.Measure(predictions), Metric.TopK(1).Measure(predictions));
        // ML.NET tells precision and recall class by class; their means, and the mean of their F1, are the macro figures where every class is predicted.
        var (precision, recall) = (expected.ConfusionMatrix.PerClassPrecision, expected.ConfusionMatrix.PerClassRecall);
        var there = Enumerable.Range(0, Classes).Where(c =>
            rows.Any(row => row.Label == c) || rows.Any(row => Array.IndexOf(row.Scores, row.Scores.Max()) == c)).ToArray();
        Assert.AreEqual(there.Average(c => precision[c]), Metric.MacroPrecision.Measure(predictions), 1e-12);
        Assert.AreEqual(there.Average(c => precision[c] + recall[c] == 0 ? 0 : 2 * precision[c] * recall[c] / (precision[c] + recall[c])),
            Metric.MacroF1.Measure(predictions), 1e-12);
    }

    [TestMethod]
    [DataRow(1, 300, 1000)]
    [DataRow(2, 300, 5)]
    [DataRow(3, 9, 3)]
    public void Those_of_two_sides_are_ML_NETs(int seed, int count, int levels)
    {
        // Few levels of scores make many ties.
        var random = new Random(seed);
        var rows = Enumerable.Range(0, count).Select(i => (Label: i % 3 == 0,
            Score: (float)((random.Next(levels) + (i % 3 == 0 ? levels / 4 : 0)) * 4.0 / levels - 2))).ToArray();
        var predictions = Sides(rows);
        var expected = _ml.BinaryClassification.Evaluate(_ml.Data.LoadFromEnumerable(rows.Select(row => new SideRow
        {
            Label = row.Label, Score = row.Score, Probability = (float)(1 / (1 + Math.Exp(-row.Score))), PredictedLabel = row.Score > 0,
        })));
        Assert.AreEqual(expected.Accuracy, Metric.Accuracy.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.AreaUnderRocCurve, Metric.AreaUnderRocCurve.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.F1Score, Metric.F1.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.PositivePrecision, Metric.Precision.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.PositiveRecall, Metric.Recall.Measure(predictions), 1e-12);
        Assert.AreEqual((expected.PositivePrecision + expected.NegativePrecision) / 2, Metric.MacroPrecision.Measure(predictions), 1e-12);
        Assert.AreEqual((expected.PositiveRecall + expected.NegativeRecall) / 2, Metric.MacroRecall.Measure(predictions), 1e-12);
        Assert.AreEqual(expected.LogLoss * Math.Log(2), Metric.LogLoss.Measure(predictions), 1e-6, "ML.NET's is in bits");
    }

    [TestMethod]
    public void Those_of_numbers_are_ML_NETs()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 200).Select(_ => random.NextSingle() * 9)
            .Select(label => new NumberRow { Label = label, Score = label + random.NextSingle() - 0.3f }).ToArray();
        var predictions = new Predictions(LearningTask.Regression, [.. rows.Select(row => row.Score)], [.. rows.Select(row => row.Label)]);
        var expected = _ml.Regression.Evaluate(_ml.Data.LoadFromEnumerable(rows));
        Assert.AreEqual(expected.RSquared, Metric.RSquared.Measure(predictions), 1e-9);
        Assert.AreEqual(expected.MeanAbsoluteError, Metric.MeanAbsoluteError.Measure(predictions), 1e-9);
        Assert.AreEqual(expected.RootMeanSquaredError, Metric.RootMeanSquaredError.Measure(predictions), 1e-9);
    }

    [TestMethod]
    [DynamicData(nameof(All))]
    public void A_row_that_weighs_three_counts_as_three(string name)
    {
        var metric = Metric.Named(name);
        foreach (var task in metric.Tasks)
        {
            for (var seed = 0; seed < 40; seed++)
            {
                // Small integers, so that scores tie; the first two rows are of different labels.
                var random = new Random(seed);
                var (outputs, classes) = task == LearningTask.Multiclass ? (6, 6) : (1, 2);
                var rows = Enumerable.Range(0, 12).Select(i => (Scores: Enumerable.Range(0, outputs).Select(_ => (float)random.Next(-2, 3)).ToArray(),
                    Label: (float)(i < 2 ? i : random.Next(classes)), Weight: i < 2 ? 1 : random.Next(4))).ToArray();
                var weighted = new Predictions(task, [.. rows.SelectMany(row => row.Scores)], [.. rows.Select(row => row.Label)],
                    [.. rows.Select(row => (float)row.Weight)]);
                var repeated = rows.SelectMany(row => Enumerable.Repeat(row, row.Weight)).ToArray();
                Assert.AreEqual(metric.Measure(new(task, [.. repeated.SelectMany(row => row.Scores)], [.. repeated.Select(row => row.Label)])),
                    metric.Measure(weighted), 1e-12, $"{task}, seed {seed}");
            }
        }
    }

    [TestMethod]
    public void The_area_is_the_share_of_pairs_in_order()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var rows = Enumerable.Range(0, 15).Select(i => (Label: i == 0 || (i > 1 && random.Next(2) == 0), Score: (float)random.Next(6))).ToArray();
            var pairs = rows.Where(row => row.Label).SelectMany(positive =>
                rows.Where(row => !row.Label).Select(negative => positive.Score > negative.Score ? 1 : positive.Score == negative.Score ? 0.5 : 0));
            Assert.AreEqual(pairs.Average(), Metric.AreaUnderRocCurve.Measure(Sides(rows)), 1e-12);
        }
    }

    [TestMethod]
    public void What_rows_do_not_define_is_not_a_number()
    {
        var positive = Sides((true, 1), (true, -1));
        Assert.IsTrue(double.IsNaN(Metric.AreaUnderRocCurve.Measure(positive)));
        Assert.AreEqual(0.5, Metric.Recall.Measure(positive));
        var negative = Sides((false, -1), (false, -2));
        Assert.IsTrue(double.IsNaN(Metric.AreaUnderRocCurve.Measure(negative)));
        Assert.IsTrue(double.IsNaN(Metric.Recall.Measure(negative)));
        Assert.IsTrue(double.IsNaN(Metric.F1.Measure(negative)));
        Assert.IsTrue(double.IsNaN(Metric.Precision.Measure(negative)));
        Assert.AreEqual(1, Metric.MacroF1.Measure(negative), "the side that is there");
        Assert.AreEqual(0, Metric.Precision.Measure(Sides((true, -1), (false, -1))), "none is found");
        Assert.IsTrue(double.IsNaN(Metric.RSquared.Measure(new(LearningTask.Regression, [1, 2], [3, 3]))));
        Assert.AreEqual(1.5, Metric.MeanAbsoluteError.Measure(new(LearningTask.Regression, [1, 2], [3, 3])));
        Assert.IsTrue(double.IsNaN(Metric.RootMeanSquaredError.Measure(new(LearningTask.Regression, [float.NaN, 2], [3, 3]))));
    }

    [TestMethod]
    public void A_score_that_is_not_a_number_never_counts_for_the_model()
    {
        var classes = new Predictions(LearningTask.Multiclass, [float.NaN, 0, 0, float.NaN, 9, 0], [0, 1]);
        Assert.AreEqual(0, Metric.Accuracy.Measure(classes));
        Assert.AreEqual(0, Metric.TopK(1).Measure(classes));
        Assert.AreEqual(0, Metric.MacroF1.Measure(classes));
        var sides = Sides((false, float.NaN), (true, float.NaN));
        Assert.AreEqual(0, Metric.Accuracy.Measure(sides));
        Assert.IsTrue(double.IsNaN(Metric.AreaUnderRocCurve.Measure(sides)));
    }

    [TestMethod]
    public void Large_logits_keep_their_loss()
    {
        Assert.AreEqual(500, Metric.LogLoss.Measure(Sides((true, -1000), (false, -1000))), 1e-9);
        Assert.AreEqual(1000, Metric.LogLoss.Measure(new(LearningTask.Multiclass, [1000, 0, 0], [1])), 1e-9);
        Assert.AreEqual(Math.Log(3), Metric.LogLoss.Measure(new(LearningTask.Multiclass, [1000, 1000, 1000], [1])), 1e-9);
    }

    [TestMethod]
    public void Names_find_metrics_and_a_wrong_one_is_told_the_nearest()
    {
        foreach (var metric in Metric.All)
        {
            Assert.AreEqual(metric, metric.Name.StartsWith("top") ? metric : Metric.Named(metric.Name.ToUpperInvariant()));
            Assert.AreNotEqual("", metric.Legend);
        }

        Assert.AreEqual("top-7", Metric.Named("Top-7").Name);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Metric.Named("acuracy")).Message, "'accuracy'");
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Named("top-0"));
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Of(" ", MetricDirection.LowerIsBetter, _ => 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Metric.Of("cost", (MetricDirection)7, _ => 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Metric.TopK(0));
    }

    [TestMethod]
    public void What_does_not_go_together_is_refused()
    {
        var numbers = new Predictions(LearningTask.Regression, [1, 2], [3, 4]);
        var e = Assert.ThrowsExactly<ArgumentException>(() => Metric.AreaUnderRocCurve.Measure(numbers));
        StringAssert.Contains(e.Message, "'AUC' does not fit a Regression task; these do: R2, MAE, RMSE.");
        Assert.ThrowsExactly<ArgumentException>(() => Metric.TopK(3).Measure(new(LearningTask.Multiclass, [1, 2, 3], [0])),
            "all three classes are among the first three");
        Assert.ThrowsExactly<InvalidOperationException>(() => numbers.LogProbability(0, 0));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Multiclass, [1, 2], [0, 1]));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Multiclass, [1, 2], [2]));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Binary, [1], [0.5f]));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Binary, [1, 2, 3], [0, 1]));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Regression, [], []));
        Assert.ThrowsExactly<ArgumentException>(() => new Predictions(LearningTask.Regression, [1], [1], [1, 1]));
    }

    [TestMethod]
    public void Losses_are_in_the_direction_of_the_metric()
    {
        Assert.AreEqual(0.1, Metric.Accuracy.Loss(0.9, 0.8), 1e-12);
        Assert.AreEqual(0.1, Metric.LogLoss.Loss(0.8, 0.9), 1e-12);
        Assert.AreEqual(-2, Metric.MeanOf("error", MetricDirection.LowerIsBetter, (_, _) => 0).Loss(5, 3));
    }

    private static Predictions Sides(params (bool Label, float Score)[] rows)
        => new(LearningTask.Binary, [.. rows.Select(row => row.Score)], [.. rows.Select(row => row.Label ? 1f : 0)]);

    private sealed class ClassRow
    {
        [KeyType(Classes)]
        public uint Label { get; set; }

        [KeyType(Classes)]
        public uint PredictedLabel { get; set; }

        [VectorType(Classes)]
        public float[] Score { get; set; } = [];
    }

    private sealed class SideRow
    {
        public bool Label { get; set; }

        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }
    }

    private sealed class NumberRow
    {
        public float Label { get; set; }

        public float Score { get; set; }
    }
}
