using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class BinaryMetricsTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Row[] _rows =
    [
        new() { Label = true, Score = 2f, Probability = 0.9f },
        new() { Label = false, Score = 1f, Probability = 0.7f },
        new() { Label = true, Score = 1f, Probability = 0.7f },
        new() { Label = true, Score = -0.5f, Probability = 0.4f },
        new() { Label = false, Score = -1f, Probability = 0.3f },
        new() { Label = false, Score = 0f, Probability = 0.5f },
        new() { Label = false, Score = -3f, Probability = 0.05f },
    ];

    [TestMethod]
    public void Metrics_follow_their_definitions()
    {
        var metrics = _ml.BinaryClassification.Evaluate(_ml.Data.LoadFromEnumerable(_rows));

        // A score above zero predicts the positive class: 2 true and 1 false positives, 1 false and 3 true negatives.
        Assert.AreEqual(5 / 7.0, metrics.Accuracy, 1e-12);
        Assert.AreEqual(2 / 3.0, metrics.PositivePrecision, 1e-12);
        Assert.AreEqual(2 / 3.0, metrics.PositiveRecall, 1e-12);
        Assert.AreEqual(3 / 4.0, metrics.NegativePrecision, 1e-12);
        Assert.AreEqual(3 / 4.0, metrics.NegativeRecall, 1e-12);
        Assert.AreEqual(2 / 3.0, metrics.F1Score, 1e-12);
        CollectionAssert.AreEqual(new double[] { 2, 1 }, metrics.ConfusionMatrix.Counts[0].ToArray());
        CollectionAssert.AreEqual(new double[] { 1, 3 }, metrics.ConfusionMatrix.Counts[1].ToArray());

        Assert.AreEqual(PairwiseAuc(), metrics.AreaUnderRocCurve, 1e-12);
        double logLoss = _rows.Average(r => -Math.Log2(r.Label ? r.Probability : 1.0 - r.Probability));
        double entropy = -(3 / 7.0 * Math.Log2(3 / 7.0) + 4 / 7.0 * Math.Log2(4 / 7.0));
        Assert.AreEqual(logLoss, metrics.LogLoss, 1e-9);
        Assert.AreEqual(entropy, metrics.Entropy, 1e-9);
        Assert.AreEqual((entropy - logLoss) / entropy, metrics.LogLossReduction, 1e-9);
    }

    [TestMethod]
    public void Precision_recall_area_is_the_sum_of_trapezoids()
    {
        var metrics = _ml.BinaryClassification.EvaluateNonCalibrated(_ml.Data.LoadFromEnumerable(_rows));

        // By falling score: + (P 1), - (1/2), + (2/3), - (2/4), + (3/5); each positive adds a third of recall.
        double expected = ((1 + 1) / 2.0 + (1 / 2.0 + 2 / 3.0) / 2 + (2 / 4.0 + 3 / 5.0) / 2) / 3;
        Assert.AreEqual(expected, metrics.AreaUnderPrecisionRecallCurve, 1e-12);
    }

    [TestMethod]
    public void Areas_equal_brute_force_on_many_ties()
    {
        var random = new Random(5);
        var rows = Enumerable.Range(0, 500)
            .Select(_ => new Row { Label = random.NextDouble() < 0.4, Score = random.Next(-5, 6), Probability = 0.5f })
            .ToArray();

        var metrics = _ml.BinaryClassification.EvaluateNonCalibrated(_ml.Data.LoadFromEnumerable(rows));

        double wins = 0, pairs = 0;
        foreach (var positive in rows.Where(r => r.Label))
        {
            foreach (var negative in rows.Where(r => !r.Label))
            {
                wins += positive.Score > negative.Score ? 1 : positive.Score == negative.Score ? 0.5 : 0;
                pairs++;
            }
        }

        Assert.AreEqual(wins / pairs, metrics.AreaUnderRocCurve, 1e-12);
    }

    [TestMethod]
    public void Table_shows_the_ratio_of_positives()
    {
        string table = _ml.BinaryClassification.Evaluate(_ml.Data.LoadFromEnumerable(_rows)).ConfusionMatrix.GetFormattedConfusionTable();

        string[] expected =
        [
            "TEST POSITIVE RATIO:\t0.4286 (3.0/(3.0+4.0))",
            "Confusion table",
            "          ||======================",
            "PREDICTED || positive | negative | Recall",
            "TRUTH     ||======================",
            " positive ||        2 |        1 | 0.6667",
            " negative ||        1 |        3 | 0.7500",
            "          ||======================",
            "Precision ||   0.6667 |   0.7500 |",
            "",
        ];
        CollectionAssert.AreEqual(expected, table.ReplaceLineEndings("\n").Split('\n'));
    }

    [TestMethod]
    public void One_class_alone_has_no_area()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows.Where(r => r.Label));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.BinaryClassification.Evaluate(data));
        StringAssert.Contains(error.Message, "no negative class");
    }

    [TestMethod]
    public void A_missing_probability_is_named()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.BinaryClassification.Evaluate(data, probabilityColumnName: "P"));
        StringAssert.Contains(error.Message, "'P'");
    }

    private static double PairwiseAuc() => (
        from positive in _rows.Where(r => r.Label)
        from negative in _rows.Where(r => !r.Label)
        select positive.Score > negative.Score ? 1 : positive.Score == negative.Score ? 0.5 : 0).Average();

    private sealed class Row
    {
        public bool Label { get; set; }

        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }
    }
}
