
namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Rows changed by noise, blur, shift and attacks: against what scipy gives, by hand, and against finite differences of the loss.</summary>
[TestClass]
public class PerturbationTests
{
    private static readonly Network s_classes = Network.Mlp(6, 12, 4).Initialize(3);
    private static readonly Network s_numbers = Network.Mlp(6, 12, 1).Initialize(4);

    public static IEnumerable<object[]> Texts => [["GaussianNoise(0.1, 3)"], ["Blur(0.5, 0, 0)"], ["Shift(1, -2, 8, 8)"], ["Fgsm(0.25)"],
        ["Pgd(0.25, 0.0625, 10, 0)"], ["Fgsm(0.25).Within(0, 1)"], ["GaussianNoise(0.1, 0).Within(-1, 1)"]];

    [TestMethod]
    [DynamicData(nameof(Texts))]
    public void A_text_makes_it_again(string text)
    {
        Assert.AreEqual(text, Perturbation.Named(text).ToString());
        Assert.AreEqual($"accuracy under {text}", Metric.Named($"Accuracy under {text.ToLowerInvariant()}").Name);
    }

    [TestMethod]
    public void A_later_range_takes_the_place_of_an_earlier_one()
        => Assert.AreEqual("Fgsm(0.5).Within(0, 2)", Perturbation.Fgsm(0.5).Within(0, 1).Within(0, 2).ToString());

    [TestMethod]
    public void Noise_has_the_deviation_and_comes_again_with_its_seed()
    {
        var network = Network.Mlp(1000, 2).Initialize(1);
        var rows = Changed(Perturbation.GaussianNoise(0.5, 7), network, new float[40_000]);
        Assert.AreEqual(0, rows.Average(), 4 * 0.5 / 200);
        Assert.AreEqual(0.25, rows.Average(value => (double)value * value), 0.01);
        // The share within one deviation is erf(1 / sqrt 2).
        Assert.AreEqual(0.6827, rows.Average(value => Math.Abs(value) < 0.5 ? 1.0 : 0), 0.01);
        CollectionAssert.AreEqual(rows, Changed(Perturbation.GaussianNoise(0.5, 7), network, new float[40_000]));
        CollectionAssert.AreNotEqual(rows, Changed(Perturbation.GaussianNoise(0.5, 8), network, new float[40_000]));
        Assert.IsTrue(Changed(Perturbation.GaussianNoise(0.5).Within(-0.1, 0.2), network, new float[40_000]).All(value => value is >= -0.1f and <= 0.2f));
    }

    [TestMethod]
    public void A_shift_moves_every_channel()
    {
        var network = Network.Sequential([2, 2, 3], Layer.Flatten(), Layer.Dense(2)).Initialize(1);
        float[] image = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        CollectionAssert.AreEqual(new float[] { 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 7, 8 }, Changed(Perturbation.Shift(1, 1), network, image));
        CollectionAssert.AreEqual(new float[] { 4, 5, 6, 0, 0, 0, 10, 11, 12, 0, 0, 0 }, Changed(Perturbation.Shift(-1, 0, 2, 3), network, image));
        Assert.ThrowsExactly<ArgumentException>(() => Changed(Perturbation.Shift(0, 3), network, image));
        Assert.ThrowsExactly<ArgumentException>(() => Changed(Perturbation.Shift(0, 1, 3, 2), network, image));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Changed(Perturbation.Blur(1), s_classes, new float[6])).Message,
            "Perturbation.Blur");
    }

    [TestMethod]
    public void A_blur_is_that_of_scipy()
    {
        // scipy.ndimage.gaussian_filter(image, 0.8, mode="nearest"), scipy 1.10.1, of the first channel; the second is the same upside down.
        var network = Network.Sequential([2, 4, 5], Layer.Flatten(), Layer.Dense(2)).Initialize(1);
        float[] plane = [.. Enumerable.Range(0, 20).Select(i => i * 37 % 101 / 101f)];
        float[] expected = [0.24175f, 0.374852f, 0.498926f, 0.420525f, 0.399054f, 0.494597f, 0.395661f, 0.503366f, 0.549343f, 0.403283f, 0.557113f, 0.411053f,
            0.45703f, 0.564735f, 0.465799f, 0.561342f, 0.539871f, 0.46147f, 0.585544f, 0.718646f];
        var found = Changed(Perturbation.Blur(0.8), network, [.. plane, .. plane.Reverse()]);
        float[] both = [.. expected, .. expected.Reverse()];
        for (var i = 0; i < both.Length; i++)
        {
            Assert.AreEqual(both[i], found[i], 1e-6, $"pixel {i}");
        }
    }

    [TestMethod]
    public void The_fast_gradient_sign_follows_finite_differences_of_the_loss()
    {
        foreach (var (network, task, labels) in new[] { (s_classes, LearningTask.Multiclass, new float[] { 0, 3, 1 }), (s_numbers, LearningTask.Binary,
            [0, 1, 1]), (s_numbers, LearningTask.Regression, [0.5f, -2, 1]) })
        {
            var random = new Random(5);
            float[] rows = [.. Enumerable.Range(0, 18).Select(_ => (float)(2 * random.NextDouble() - 1))];
            var moved = Changed(Perturbation.Fgsm(0.125), network, rows, task, labels);
            var checkedSigns = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                const float Step = 1e-2f;
                var (row, label) = (rows[(i / 6 * 6)..(i / 6 * 6 + 6)], labels[i / 6]);
                var (up, down) = ((float[])row.Clone(), (float[])row.Clone());
                (up[i % 6], down[i % 6]) = (up[i % 6] + Step, down[i % 6] - Step);
                var slope = Loss(network, task, up, label) - Loss(network, task, down, label);
                // Within rounding of the loss, or at a kink of a ReLU, differences say nothing.
                if (Math.Abs(slope) > 1e-4)
                {
                    checkedSigns++;
                    Assert.AreEqual(0.125 * Math.Sign(slope), moved[i] - rows[i], 1e-6, $"{task}, value {i}");
                }
            }

            Assert.IsGreaterThan(12, checkedSigns);
        }
    }

    [TestMethod]
    public void Descent_by_projected_gradients_stays_near_and_does_more_harm_than_one_step()
    {
        var random = new Random(6);
        float[] rows = [.. Enumerable.Range(0, 60).Select(_ => (float)random.NextDouble())];
        float[] labels = [.. Enumerable.Range(0, 10).Select(row => (float)(row % 4))];
        var one = Changed(Perturbation.Fgsm(0.25), s_classes, rows, labels: labels);
        var many = Changed(Perturbation.Pgd(0.25, 0.05, 40, 3), s_classes, rows, labels: labels);
        Assert.IsTrue(many.Zip(rows).All(pair => Math.Abs(pair.First - pair.Second) <= 0.25 + 1e-6));
        CollectionAssert.AreEqual(many, Changed(Perturbation.Pgd(0.25, 0.05, 40, 3), s_classes, rows, labels: labels));
        CollectionAssert.AreNotEqual(Changed(Perturbation.Pgd(0.25, 0.01, 1, 3), s_classes, rows, labels: labels),
            Changed(Perturbation.Pgd(0.25, 0.01, 1, 4), s_classes, rows, labels: labels));
        var within = Changed(Perturbation.Pgd(0.25, 0.05, 40, 3).Within(0, 1), s_classes, rows, labels: labels);
        Assert.IsTrue(within.All(value => value is >= 0 and <= 1));
        double Mean(float[] values) => labels.Index().Average(row => Loss(s_classes, LearningTask.Multiclass, values[(row.Index * 6)..(row.Index * 6 + 6)],
            row.Item));
        Assert.IsGreaterThan(Mean(rows) + 0.05, Mean(one));
        Assert.IsGreaterThanOrEqualTo(Mean(one) - 1e-4, Mean(many));
    }

    [TestMethod]
    public void Against_a_linear_network_the_first_step_is_the_best_and_in_closed_form()
    {
        // Of logit w.x + b and label 1 the loss falls with the logit, so every value moves against its weight.
        var network = Network.Sequential([3], Layer.Dense(1)).Initialize(2);
        var weights = network["fc1.weight"].Values.ToArray();
        var moved = Changed(Perturbation.Fgsm(0.5), network, [1, 2, 3, 1, 2, 3], LearningTask.Binary, [1, 0]);
        for (var i = 0; i < 3; i++)
        {
            Assert.AreEqual(i + 1 - 0.5 * Math.Sign(weights[i]), moved[i], 1e-6);
            Assert.AreEqual(i + 1 + 0.5 * Math.Sign(weights[i]), moved[i + 3], 1e-6);
        }
    }

    [TestMethod]
    public void A_network_that_rounds_is_not_attacked_in_vain()
    {
        var rounding = s_classes.Quantize(Quantizer.DynamicInt8());
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => Changed(Perturbation.Fgsm(0.1), rounding, new float[6])).Message,
            "DynamicQuantizeLinear");
        // Weights that are rounded are numbers like others.
        CollectionAssert.AreNotEqual(new float[6], Changed(Perturbation.Fgsm(0.1), s_classes.Quantize(Quantizer.Weights(8)), new float[6]));
    }

    [TestMethod]
    public void Integers_and_ranges_out_of_order_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Perturbation.Fgsm(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Perturbation.Pgd(1, 1, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Perturbation.Blur(101));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Perturbation.Fgsm(1).Within(1, 1));
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Accuracy.Under(Perturbation.Fgsm(1)).Under(Perturbation.Fgsm(1)));
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Sparsity.Under(Perturbation.Fgsm(1)));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Metric.Named("accuracy under fgms(1)")).Message, "Fgsm");
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Accuracy.Under(Perturbation.Fgsm(1)).Measure(new(LearningTask.Binary, [1], [1])));
    }

    private static float[] Changed(Perturbation perturbation, Network network, float[] rows, LearningTask? task = null, float[]? labels = null)
    {
        var values = (float[])rows.Clone();
        using var change = perturbation.Start(network, task ?? LearningTask.Multiclass);
        change.Change(values, labels ?? new float[rows.Length / network.RowSize]);
        return values;
    }

    /// <summary>The task's loss of a row, by hand from the network's weights.</summary>
    private static double Loss(Network network, LearningTask task, float[] row, float label)
    {
        var scores = Dense(network, "fc2", [.. Dense(network, "fc1", Array.ConvertAll(row, value => (double)value)).Select(value => Math.Max(0, value))]);
        return task == LearningTask.Multiclass ? Math.Log(scores.Sum(score => Math.Exp(score - scores[(int)label])))
            : task == LearningTask.Binary ? Math.Log(1 + Math.Exp(label == 1 ? -scores[0] : scores[0]))
            : Math.Pow(scores[0] - label, 2);
    }

    private static double[] Dense(Network network, string layer, double[] values)
    {
        var (weight, bias) = (network[$"{layer}.weight"], network[$"{layer}.bias"].Values.ToArray());
        var weights = weight.Values.ToArray();
        return [.. bias.Select((shift, unit) => shift + values.Select((value, i) => value * weights[unit * values.Length + i]).Sum())];
    }
}
