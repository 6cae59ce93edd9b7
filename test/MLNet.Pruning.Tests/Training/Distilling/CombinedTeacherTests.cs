using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Several teachers, against their probabilities mixed by hand.</summary>
[TestClass]
public class CombinedTeacherTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Probabilities_of_classes_are_averaged()
    {
        var step = ScoredRows.Step(ScoredRows.Classes(_ml, new() { Label = "a", Score = [2, -1, 0.5f] },
            new() { Label = "b", Score = [0, 3, 1], Features = [0, -1, 2] }, new() { Label = "c", Score = [1, 1, 4] }), LearningTask.Multiclass, 3);
        Teacher network = Network.Mlp(3, 3).Initialize(2);
        var (one, other) = (Rows(ScoredRows.Logits(Teacher.Columns(), step), 3), Rows(ScoredRows.Logits(network, step), 3));
        var mean = Rows(ScoredRows.Logits(Teacher.Mean(Teacher.Columns(), network), step), 3);
        var weighted = Rows(ScoredRows.Logits(Teacher.Weighted((Teacher.Columns(), 3), (network, 1)), step), 3);
        for (var row = 0; row < 3; row++)
        {
            var (a, b) = (Softmax(one[row]), Softmax(other[row]));
            Close.AreEqual([.. a.Zip(b, (p, q) => (float)((p + q) / 2))], [.. Softmax(mean[row]).Select(p => (float)p)], 1e-6, "mean");
            Close.AreEqual([.. a.Zip(b, (p, q) => (float)(0.75 * p + 0.25 * q))], [.. Softmax(weighted[row]).Select(p => (float)p)], 1e-6, "weighted");
        }
    }

    [TestMethod]
    public void Sides_and_numbers_are_averaged()
    {
        var view = ScoredRows.Sides(_ml, new() { Score = 2, Probability = 0.1f }, new() { Score = -1, Probability = 0.5f, Label = true });
        var step = ScoredRows.Step(view, LearningTask.Binary, 1);
        var logits = ScoredRows.Logits(Teacher.Mean(Teacher.Columns(), Teacher.Columns("Both")), step);
        // Both says one half of every row.
        Close.AreEqual([(float)Math.Log(0.3 / 0.7), 0], logits, 1e-5, "sides");

        var numbers = ScoredRows.Step(_ml.Data.LoadFromEnumerable<Number>([new() { First = 1, Second = 5, Label = 2 },
            new() { First = -3, Second = 1, Label = 0 }]), LearningTask.Regression, 1);
        Close.AreEqual([4, 0], ScoredRows.Logits(Teacher.Weighted((Teacher.Columns("First"), 1), (Teacher.Columns("Second"), 3)), numbers), 1e-5, "numbers");
    }

    [TestMethod]
    public void Each_class_is_taught_by_the_teacher_that_knows_it_best()
    {
        // Score knows class a only, Second tells b from c but takes every a for a b.
        var rows = Enumerable.Range(0, 90).Select(i => new Classes
        {
            Label = $"{"abc"[i % 3]}",
            Score = i % 3 == 0 ? [4, 0, 0] : [0, i % 2, 1 - i % 2],
            Second = i % 3 == 2 ? [0, 0, 5] : [0, 5, 0],
        }).ToArray();
        var view = _ml.Data.LoadFromEnumerable(rows);
        var step = ScoredRows.Step(_ml.Transforms.Conversion.MapValueToKey("Label").Fit(view).Transform(view), LearningTask.Multiclass, 3,
            validationFraction: 0.5);
        var said = Rows(ScoredRows.Logits(Teacher.BestPerClass(Teacher.Columns(), Teacher.Columns("Second")), step), 3);
        for (var row = 0; row < rows.Length; row++)
        {
            // The F1 of a is 1 for the first; of b 2/3 at least, and of c 1, for the second.
            var (first, second) = (Softmax(rows[row].Score), Softmax(rows[row].Second));
            double[] mixed = [first[0], second[1], second[2]];
            Close.AreEqual([.. mixed.Select(p => (float)(p / mixed.Sum()))], [.. Softmax(said[row]).Select(p => (float)p)], 1e-5, $"row {row}");
        }

        var none = ScoredRows.Step(step.View, LearningTask.Multiclass, 3);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Teacher.BestPerClass(Teacher.Columns()).Bind(none)).Message, "ValidationFraction");
    }

    [TestMethod]
    public void Nobody_and_weights_out_of_range_are_refused()
    {
        Assert.ThrowsExactly<ArgumentException>(() => Teacher.Mean());
        Assert.ThrowsExactly<ArgumentException>(() => Teacher.BestPerClass());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Teacher.Weighted((Teacher.Columns(), 0)));
        Assert.ThrowsExactly<ArgumentNullException>(() => Teacher.Mean(null!, null!));
        var step = ScoredRows.Step(ScoredRows.Classes(_ml, new() { Label = "a", Score = [2, -1, 0.5f] }, new() { Label = "b", Score = [0, 3, 1] },
            new() { Label = "c", Score = [1, 1, 4] }), LearningTask.Multiclass, 3);
        var message = Assert.ThrowsExactly<ArgumentException>(() => Teacher.Mean(Teacher.Columns(), Network.Mlp(3, 4).Initialize(1)).Bind(step)).Message;
        StringAssert.Contains(message, "3 and 4");
        using var bound = Teacher.Mean(Teacher.Columns(), Network.Mlp(3, 3).Initialize(1)).Bind(step);
        Assert.ThrowsExactly<NotSupportedException>(() => bound.Run([0], ["fc1"], null));
    }

    private static float[][] Rows(float[] values, int width) => [.. values.Chunk(width)];

    private static double[] Softmax(float[] logits)
    {
        var exponents = logits.Select(value => Math.Exp((double)value - logits.Max())).ToArray();
        return [.. exponents.Select(value => value / exponents.Sum())];
    }

    public sealed class Number
    {
        [Microsoft.ML.Data.VectorType(ScoredRows.Width)]
        public float[] Features { get; set; } = [1, 2, 3];

        public float Label { get; set; }

        public float First { get; set; }

        public float Second { get; set; }
    }

    public sealed class Classes
    {
        [Microsoft.ML.Data.VectorType(ScoredRows.Width)]
        public float[] Features { get; set; } = [1, 2, 3];

        public string Label { get; set; } = "";

        [Microsoft.ML.Data.VectorType(3)]
        public float[] Score { get; set; } = [];

        [Microsoft.ML.Data.VectorType(3)]
        public float[] Second { get; set; } = [];
    }
}
