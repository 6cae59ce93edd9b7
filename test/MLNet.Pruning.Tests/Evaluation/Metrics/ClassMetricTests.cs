namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Metrics of several classes against scikit-learn and its documentation's examples, and against their definitions pair by pair.</summary>
[TestClass]
public class ClassMetricTests
{
    // precision_recall_fscore_support([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]) of scikit-learn's documentation: precision 2/3, 0, 0, recall 1, 0, 0.
    private static readonly Predictions s_documented = Chosen([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]);

    [TestMethod]
    public void Those_of_scikit_learns_documentation()
    {
        Assert.AreEqual(0.2222, Metric.MacroPrecision.Measure(s_documented), 5e-5);
        Assert.AreEqual(0.3333, Metric.MacroRecall.Measure(s_documented), 5e-5);
        Assert.AreEqual(0.2667, Metric.MacroF1.Measure(s_documented), 5e-5);
        Assert.AreEqual(0.3333, Metric.MicroF1.Measure(s_documented), 5e-5);
        Assert.AreEqual(0.2222, Metric.WeightedPrecision.Measure(s_documented), 5e-5);
        Assert.AreEqual(0.2667, Metric.WeightedF1.Measure(s_documented), 5e-5);
        // Classes of three and two rows, by hand: precision 1 and 2/3, recall 2/3 and 1, F1 0.8 of both.
        var unequal = Chosen([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], classes: 2);
        Assert.AreEqual((3 * 0.8 + 2 * 0.8) / 5, Metric.WeightedF1.Measure(unequal), 1e-12);
        Assert.AreEqual((3 * 1 + 2 * (2.0 / 3)) / 5, Metric.WeightedPrecision.Measure(unequal), 1e-12);
        Assert.AreEqual((3 * (2.0 / 3) + 2 * 1) / 5, Metric.WeightedRecall.Measure(unequal), 1e-12);
    }

    [TestMethod]
    public void Those_of_scikit_learn_on_forty_rows()
    {
        // Scores 4 (37 i mod 101) / 101, those of the true class 0.8 higher; figures of scikit-learn 1.2.1, the probabilities by softmax.
        var labels = Enumerable.Range(0, 40).Select(row => (float)(row * 7 % 11 % 4)).ToArray();
        float[] scores = [.. Enumerable.Range(0, 160).Select(i => 4f * (i * 37 % 101) / 101 + (labels[i / 4] == i % 4 ? 0.8f : 0))];
        var rows = new Predictions(LearningTask.Multiclass, scores, labels);
        foreach (var (metric, expected) in new[]
        {
            (Metric.Accuracy, 0.225), (Metric.TopK(2), 0.475), (Metric.MacroF1, 0.23401534526854217), (Metric.MicroF1, 0.225),
            (Metric.WeightedF1, 0.2309462915601023), (Metric.MacroPrecision, 0.2466144966144966), (Metric.WeightedPrecision, 0.24459429459429458),
            (Metric.MacroRecall, 0.22916666666666666), (Metric.WeightedRecall, 0.225), (Metric.MacroAreaUnderRocCurve, 0.6173735119047619),
            (Metric.WeightedAreaUnderRocCurve, 0.615327380952381),
        })
        {
            Assert.AreEqual(expected, metric.Measure(rows), 1e-12, metric.Name);
        }

        Assert.AreEqual(1.558481644218014, Metric.LogLoss.Measure(rows), 1e-6);
        var weighted = new Predictions(LearningTask.Multiclass, scores, labels, [.. Enumerable.Range(0, 40).Select(row => 1f + row % 3)]);
        Assert.AreEqual(0.2590333716915995, Metric.WeightedF1.Measure(weighted), 1e-12);
        Assert.AreEqual(0.6306575349245828, Metric.WeightedAreaUnderRocCurve.Measure(weighted), 1e-12);
    }

    [TestMethod]
    public void Top_k_is_that_of_scikit_learns_documentation()
    {
        // top_k_accuracy_score([0, 1, 2, 2], [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]], k=2) is 0.75.
        var rows = new Predictions(LearningTask.Multiclass, [0.5f, 0.2f, 0.2f, 0.3f, 0.4f, 0.2f, 0.2f, 0.4f, 0.3f, 0.7f, 0.2f, 0.1f], [0, 1, 2, 2]);
        Assert.AreEqual(0.75, Metric.TopK(2).Measure(rows));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Metric.TopK(3).Measure(rows)).Message, "3 classes");
    }

    [TestMethod]
    [DataRow(3)]
    [DataRow(20)]
    public void The_area_of_a_class_is_the_share_of_pairs_in_order_of_its_probability(int levels)
    {
        // Few levels of scores make ties, in the same and in other orders.
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var rows = Enumerable.Range(0, 20).Select(i => (Label: i % 4, Scores: Enumerable.Range(0, 4).Select(_ => (float)random.Next(levels)).ToArray()))
                .ToArray();
            // The odds against a class fall as its probability rises.
            double Odds((int Label, float[] Scores) row, int index) => row.Scores.Sum(other => Math.Exp(other - row.Scores[index]));
            double Area(int index) => rows.Where(row => row.Label == index).SelectMany(of => rows.Where(row => row.Label != index).Select(other =>
            {
                var (a, b) = (Odds(of, index), Odds(other, index));
                return Math.Abs(a / b - 1) < 1e-9 ? 0.5 : a < b ? 1 : 0;
            })).Average();
            var areas = Enumerable.Range(0, 4).Select(Area).ToArray();
            var predictions = new Predictions(LearningTask.Multiclass, [.. rows.SelectMany(row => row.Scores)], [.. rows.Select(row => (float)row.Label)]);
            Assert.AreEqual(areas.Average(), Metric.MacroAreaUnderRocCurve.Measure(predictions), 1e-12, $"seed {seed}");
            Assert.AreEqual(areas.Average(), Metric.WeightedAreaUnderRocCurve.Measure(predictions), 1e-12, "classes are of as many rows");
        }
    }

    [TestMethod]
    public void The_weighted_area_counts_classes_as_their_rows_do()
    {
        // Class 0, of three rows, is told apart without fault; 1 and 2, of one row each, are taken for one another.
        var rows = new Predictions(LearningTask.Multiclass, [9, 0, 0, 9, 0, 0, 9, 0, 0, 0, 0, 9, 0, 9, 0], [0, 0, 0, 1, 2]);
        // By hand, of class 1: the row that is taken for it scores higher, the three of class 0 the same.
        const double One = 3 * 0.5 / 4, Two = One;
        Assert.AreEqual((1 + One + Two) / 3, Metric.MacroAreaUnderRocCurve.Measure(rows), 1e-12);
        Assert.AreEqual((3 + One + Two) / 5, Metric.WeightedAreaUnderRocCurve.Measure(rows), 1e-12);
    }

    [TestMethod]
    public void A_class_without_rows_leaves_the_area_undefined()
    {
        Assert.IsTrue(double.IsNaN(Metric.MacroAreaUnderRocCurve.Measure(Chosen([0, 1, 1], [0, 1, 0]))));
        Assert.IsTrue(double.IsNaN(Metric.MacroAreaUnderRocCurve.Measure(Chosen([1, 1, 1], [0, 1, 0], classes: 2))));
        Assert.IsTrue(double.IsNaN(Metric.MacroAreaUnderRocCurve.Measure(new(LearningTask.Multiclass, [1, float.NaN, 0, 1], [0, 1]))));
    }

    private static Predictions Chosen(int[] labels, int[] predicted, int classes = 3) => new(LearningTask.Multiclass,
        [.. predicted.SelectMany(found => Enumerable.Range(0, classes).Select(index => index == found ? 1f : 0f))], [.. labels.Select(label => (float)label)]);
}
