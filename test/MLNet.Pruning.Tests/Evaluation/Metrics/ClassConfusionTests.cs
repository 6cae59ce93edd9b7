using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Tests.Pipeline;

namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Confusion matrices against ML.NET's own, and those that a hand has counted.</summary>
[TestClass]
public class ClassConfusionTests
{
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    public void A_network_has_the_matrix_that_ML_NET_counts()
    {
        var data = Digits.Load(s_ml);
        var model = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Fit(data);
        var expected = s_ml.MulticlassClassification.Evaluate(model.Transform(data)).ConfusionMatrix;
        var found = s_ml.Compression().Evaluate(model, data, Metric.Accuracy).Confusion!;
        AssertSame(expected, found);
        CollectionAssert.AreEqual(ClassConfusion.Of(expected).Classes.ToArray(), found.Classes.ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 10).Select(digit => $"{digit}").ToArray(), found.Classes.ToArray());
        StringAssert.Contains(found.ToString(), $"{found.Recall(3):P1}".Replace(" ", ""));
    }

    [TestMethod]
    [DataRow("a", "b", "c")]
    [DataRow("a very long name of a class indeed", "some | other", "1. c")]
    public void The_matrix_of_any_model_of_ML_NET_has_the_names_of_its_classes(string first, string second, string third)
    {
        string[] names = [first, second, third];
        var data = s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 300)
            .Select(i => new Named { Label = names[i % 3], Features = [i % 3, i % 7, i % 2 * (i % 3)] }));
        var model = s_ml.Transforms.Conversion.MapValueToKey("Label").Append(s_ml.MulticlassClassification.Trainers.SdcaMaximumEntropy()).Fit(data);
        var matrix = s_ml.MulticlassClassification.Evaluate(model.Transform(data)).ConfusionMatrix;
        AssertSame(matrix, ClassConfusion.Of(matrix));
        CollectionAssert.AreEqual(names, ClassConfusion.Of(matrix).Classes.ToArray());
    }

    [TestMethod]
    public void Two_classes_stand_in_the_order_that_their_side_counts_them_in()
    {
        var data = s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 400).Select(i => new Sided { Label = i % 4 == 0, Features = [i % 4, i % 3, i % 5] }));
        var model = s_ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(3, 4, 1), epochs: 2).Fit(data);
        var metrics = s_ml.BinaryClassification.Evaluate(model.Transform(data));
        var (theirs, ours) = (ClassConfusion.Of(metrics.ConfusionMatrix), s_ml.Compression().Evaluate(model, data, Metric.Accuracy).Confusion!);
        CollectionAssert.AreEqual(new[] { "positive", "negative" }, theirs.Classes.ToArray());
        CollectionAssert.AreEqual(new[] { "negative", "positive" }, ours.Classes.ToArray());
        Assert.AreEqual(metrics.PositiveRecall, ours.Recall(1), 1e-12);
        Assert.AreEqual(metrics.NegativeRecall, ours.Recall(0), 1e-12);
        Assert.AreEqual(theirs.Counts[0][1], ours.Counts[1][0]);
    }

    [TestMethod]
    public void Rows_count_as_they_weigh_and_those_without_a_prediction_apart()
    {
        var predictions = new Predictions(LearningTask.Multiclass, [2, 1, 0, 0, 1, 2, float.NaN, 1, 0, 5, 1, 0], [0, 1, 1, 0], [1, 2.5f, 4, 0.5f]);
        var found = ClassConfusion.Of(predictions, null);
        CollectionAssert.AreEqual(new[] { 1.5, 0, 0 }, found.Counts[0].ToArray());
        CollectionAssert.AreEqual(new[] { 0, 0, 2.5 }, found.Counts[1].ToArray());
        CollectionAssert.AreEqual(new double[] { 0, 4, 0 }, found.Unpredicted.ToArray());
        Assert.AreEqual(1, found.Recall(0));
        Assert.AreEqual(0, found.Recall(1));
        Assert.IsTrue(double.IsNaN(found.Recall(2)));
        Assert.AreEqual(0, found.Precision(2));
        Assert.IsTrue(double.IsNaN(found.Precision(1)));
        StringAssert.Contains(found.ToString(), "Rows with scores that are not numbers: 4.");
    }

    [TestMethod]
    public void Many_classes_are_told_by_the_pairs_that_are_mistaken_most_often()
    {
        const int Classes = 40;
        // Class 7 is taken for 9 three times, 9 for 7 once; all else is right.
        int[] actual = [.. Enumerable.Range(0, Classes), 7, 7, 7, 9], predicted = [.. Enumerable.Range(0, Classes), 9, 9, 9, 7];
        var scores = new float[actual.Length * Classes];
        for (var row = 0; row < actual.Length; row++)
        {
            scores[row * Classes + predicted[row]] = 1;
        }

        var lines = ClassConfusion.Of(new Predictions(LearningTask.Multiclass, scores, [.. actual.Select(label => (float)label)]), null).ToString()
            .Split(Environment.NewLine);
        Assert.HasCount(4, lines);
        CollectionAssert.AreEqual(new[] { "7", "9", "3", "75.0%" }, lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        CollectionAssert.AreEqual(new[] { "9", "7", "1", "50.0%" }, lines[3].Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [TestMethod]
    public void There_is_none_where_nobody_asked_and_where_classes_are_too_many()
    {
        var data = Digits.Load(s_ml);
        var model = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Fit(data);
        Assert.IsNull(s_ml.Compression().Evaluate(model, data, Metric.Parameters).Confusion);

        var rows = s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Many { Label = (uint)i + 1, Features = [i, 1] }));
        Assert.IsNull(s_ml.Compression().Evaluate(Network.Mlp(2, 1025).Initialize(1), rows, new() { Metrics = [Metric.Accuracy] }).Confusion);
    }

    [TestMethod]
    public void Notebooks_shade_the_cells()
    {
        var found = ClassConfusion.Of(new Predictions(LearningTask.Multiclass, [2, 1, 1, 2, 1, 2, 1, 2], [0, 0, 1, 1]), ["cat", "<dog>"]);
        var html = Formatter.ToDisplayString(found, "text/html");
        StringAssert.Contains(html, "&lt;dog&gt;");
        // Half of the cats are found, half are not; all dogs are.
        StringAssert.Contains(html, """<td class="number" style="background:rgba(0,114,178,0.424)">1</td>""");
        StringAssert.Contains(html, """<td class="number" style="background:rgba(213,94,0,0.424)">1</td>""");
        StringAssert.Contains(html, """<td class="number" style="background:rgba(0,114,178,0.6)">2</td>""");
        StringAssert.Contains(html, """<td class="number">0</td>""");
    }

    private static void AssertSame(ConfusionMatrix expected, ClassConfusion found)
    {
        for (var i = 0; i < expected.NumberOfClasses; i++)
        {
            CollectionAssert.AreEqual(expected.Counts[i].ToArray(), found.Counts[i].ToArray());
            Assert.AreEqual(expected.PerClassRecall[i], found.Recall(i), 1e-12);
            Assert.AreEqual(expected.PerClassPrecision[i], found.Precision(i), 1e-12);
        }
    }

    private sealed class Named
    {
        public string Label { get; set; } = "";

        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Sided
    {
        public bool Label { get; set; }

        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Many
    {
        [KeyType(1025)]
        public uint Label { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }
}
