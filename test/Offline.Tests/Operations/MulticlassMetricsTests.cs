using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class MulticlassMetricsTests
{
    private static readonly MLContext _ml = new(seed: 1);

    // Labels are keys: 4 is out of range and so missing, 3 was never seen in training (the scores have three classes).
    private static readonly Row[] _rows =
    [
        new() { Label = 0, Score = [0.7f, 0.2f, 0.1f] },
        new() { Label = 0, Score = [0.3f, 0.6f, 0.1f] },
        new() { Label = 1, Score = [0.25f, 0.5f, 0.25f] },
        new() { Label = 2, Score = [0.4f, 0.4f, 0.2f] },
        new() { Label = 1, Score = [0.5f, 0.5f, 0f] },
        new() { Label = 3, Score = [0.1f, 0.1f, 0.8f] },
        new() { Label = 4, Score = [1f, 0f, 0f] },
        new() { Label = 0, Score = [float.NaN, 0f, 0f] },
    ];

    [TestMethod]
    public void Metrics_follow_their_definitions()
    {
        var metrics = _ml.MulticlassClassification.Evaluate(_ml.Data.LoadFromEnumerable(_rows), topKPredictionCount: 3);

        // Row by row, the true class ranks 0, 1, 0, 2, 1 (a tie goes to the earlier class), and last for the unseen label.
        Assert.AreEqual(2 / 6.0, metrics.MicroAccuracy, 1e-12);
        Assert.AreEqual((1 / 2.0 + 1 / 2.0 + 0) / 3, metrics.MacroAccuracy, 1e-12);
        double[] losses = [-Math.Log(0.7f), -Math.Log(0.3f), -Math.Log(0.5f), -Math.Log(0.2f), -Math.Log(0.5f), -Math.Log(1e-15f)];
        Assert.AreEqual(losses.Average(), metrics.LogLoss, 1e-9);
        Assert.AreEqual((losses[0] + losses[1]) / 2, metrics.PerClassLogLoss[0], 1e-9);
        Assert.AreEqual((losses[2] + losses[4]) / 2, metrics.PerClassLogLoss[1], 1e-9);
        Assert.AreEqual(losses[3], metrics.PerClassLogLoss[2], 1e-9);
        double entropy = -(2 * Math.Log(2 / 6.0) + 2 * Math.Log(2 / 6.0) + Math.Log(1 / 6.0)) / 6;
        Assert.AreEqual((entropy - losses.Average()) / entropy, metrics.LogLossReduction, 1e-9);
        CollectionAssert.AreEqual(new[] { 2 / 6.0, 4 / 6.0, 5 / 6.0 }, metrics.TopKAccuracyForAllK.Select(a => Math.Round(a, 12)).ToArray(), Nearly.Comparer);
        Assert.AreEqual(5 / 6.0, metrics.TopKAccuracy, 1e-12);
        Assert.AreEqual(3, metrics.TopKPredictionCount);
    }

    [TestMethod]
    public void Confusion_counts_true_classes_in_rows()
    {
        var confusion = _ml.MulticlassClassification.Evaluate(_ml.Data.LoadFromEnumerable(_rows)).ConfusionMatrix;

        Assert.AreEqual(3, confusion.NumberOfClasses);
        CollectionAssert.AreEqual(new double[] { 1, 1, 0 }, confusion.Counts[0].ToArray());
        CollectionAssert.AreEqual(new double[] { 1, 1, 0 }, confusion.Counts[1].ToArray());
        CollectionAssert.AreEqual(new double[] { 1, 0, 0 }, confusion.Counts[2].ToArray());
        Assert.AreEqual(1, confusion.GetCountForClassPair(predictedClassIndicatorIndex: 1, actualClassIndicatorIndex: 0));
        CollectionAssert.AreEqual(new[] { 0.5, 0.5, 0 }, confusion.PerClassRecall.ToArray());
        CollectionAssert.AreEqual(new[] { 1 / 3.0, 0.5, 0 }, confusion.PerClassPrecision.ToArray());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => confusion.GetCountForClassPair(3, 0));
    }

    [TestMethod]
    public void Confusion_table_has_the_known_layout()
    {
        string table = _ml.MulticlassClassification.Evaluate(_ml.Data.LoadFromEnumerable(_rows)).ConfusionMatrix.GetFormattedConfusionTable();

        string[] expected =
        [
            "",
            "Confusion table",
            "          ||========================",
            "PREDICTED ||     0 |     1 |     2 | Recall",
            "TRUTH     ||========================",
            "        0 ||     1 |     1 |     0 | 0.5000",
            "        1 ||     1 |     1 |     0 | 0.5000",
            "        2 ||     1 |     0 |     0 | 0.0000",
            "          ||========================",
            "Precision ||0.3333 |0.5000 |0.0000 |",
            "",
        ];
        CollectionAssert.AreEqual(expected, table.ReplaceLineEndings("\n").Split('\n'));
    }

    [TestMethod]
    public void Missing_and_wrong_columns_are_named()
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.MulticlassClassification.Evaluate(data, labelColumnName: "Truth"));
        StringAssert.Contains(missing.Message, "'Truth'");
        var wrong = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.MulticlassClassification.Evaluate(data, scoreColumnName: "Label"));
        StringAssert.Contains(wrong.Message, "vector of two or more items of type Single");
        var predicted = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.MulticlassClassification.Evaluate(data, predictedLabelColumnName: "Guess"));
        StringAssert.Contains(predicted.Message, "'Guess'");
    }

    private sealed class Row
    {
        [KeyType(4)]
        public uint Label { get; set; }

        [VectorType(3)]
        public float[] Score { get; set; } = [];

        [KeyType(3)]
        public uint PredictedLabel { get; set; }
    }
}
