using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>The quadratic model of the loss against closed forms and differences of the loss itself.</summary>
[TestClass]
public class QuadraticModelTests
{
    private const int Inputs = 4, Classes = 3, Count = 37;
    private static readonly float[][] s_rows = [.. Enumerable.Range(0, Count).Select(i => Enumerable.Range(0, Inputs)
        .Select(j => MathF.Sin(1 + i * 1.7f + j * 2.3f + i * j)).ToArray())];

    private static readonly float[] s_targets = [.. Enumerable.Range(0, Count).Select(i => (float)(i * i % Classes))];

    [TestMethod]
    [DataRow(Curvature.GaussNewton)]
    [DataRow(Curvature.EmpiricalFisher)]
    public void Of_one_layer_the_matrix_is_that_of_softmax_regression(Curvature curvature)
    {
        var network = Network.Mlp(Inputs, Classes).Initialize(2);
        using var run = Start(network, LearningTask.Multiclass, Loss.CrossEntropy, s_targets, rows: s_rows);
        using var model = new QuadraticModel(run, curvature);
        var (weight, bias) = (network["fc1.weight"].Values.ToArray(), network["fc1.bias"].Values.ToArray());
        var size = Classes * Inputs + Classes;
        var expected = new double[size, size];
        var slope = new double[size];
        foreach (var (row, target) in s_rows.Zip(s_targets))
        {
            double[] logits = [.. Enumerable.Range(0, Classes).Select(k => bias[k]
                + Enumerable.Range(0, Inputs).Sum(j => weight[k * Inputs + j] * (double)row[j]))];
            double[] p = [.. logits.Select(logit => Math.Exp(logit) / logits.Sum(Math.Exp))];
            double Error(int k) => p[k] - (k == (int)target ? 1 : 0);
            double Curved(int k, int l) => curvature == Curvature.EmpiricalFisher ? Error(k) * Error(l) : (k == l ? p[k] : 0) - p[k] * p[l];
            (int Class, double Input) At(int i) => i < Classes * Inputs ? (i / Inputs, row[i % Inputs]) : (i - Classes * Inputs, 1);
            for (var i = 0; i < size; i++)
            {
                slope[i] += Error(At(i).Class) * At(i).Input / Count;
                for (var j = 0; j < size; j++)
                {
                    expected[i, j] += Curved(At(i).Class, At(j).Class) * At(i).Input * At(j).Input / Count;
                }
            }
        }

        for (var i = 0; i < size; i++)
        {
            Assert.AreEqual(slope[i], model.Gradient[i], 1e-5);
            var unit = new float[size];
            unit[i] = 1;
            var column = model.Times(unit);
            for (var j = 0; j < size; j++)
            {
                Assert.AreEqual(expected[j, i], column[j], 1e-5, $"{j}, {i}");
            }
        }
    }

    [TestMethod]
    [DataRow(Loss.MeanSquaredError)]
    [DataRow(Loss.BinaryCrossEntropy)]
    public void Of_a_layer_alone_it_is_the_loss_itself_to_second_order(Loss loss)
    {
        var task = loss == Loss.MeanSquaredError ? LearningTask.Regression : LearningTask.Binary;
        var network = Network.Mlp(Inputs, 1).Initialize(4);
        float[] targets = task == LearningTask.Binary ? [.. s_targets.Select(target => target > 0 ? 1f : 0)] : s_targets;
        using var run = Start(network, task, loss, targets, s_rows);
        using var model = new QuadraticModel(run, Curvature.GaussNewton);
        var change = new float[] { 0.02f, -0.01f, 0.015f, 0.005f, -0.02f };
        var predicted = change.Zip(model.Gradient, (d, g) => (double)d * g).Sum() + change.Zip(model.Times(change), (d, h) => (double)d * h).Sum() / 2;
        double Of(float[] shift)
        {
            var weight = network["fc1.weight"].Values.ToArray().Zip(shift, (w, d) => w + d).ToArray();
            return s_rows.Zip(targets, (row, target) =>
            {
                var logit = network["fc1.bias"].Values[0] + shift[4] + weight.Zip(row, (w, x) => (double)w * x).Sum();
                return loss == Loss.MeanSquaredError ? (logit - target) * (logit - target) : Math.Log(1 + Math.Exp(logit)) - target * logit;
            }).Average();
        }

        Assert.AreEqual(Of(change) - Of(new float[5]), predicted, loss == Loss.MeanSquaredError ? 1e-6 : 2e-6);
        // Twice the mean of x^2, or of p (1 - p) x^2; drawn signs make it an estimate only where roots are several.
        Assert.AreEqual(model.Times([0, 0, 0, 0, 1])[4], model.Diagonal[4], 0.5 * model.Diagonal[4]);
    }

    [TestMethod]
    public void Convolutions_pooling_and_batch_norm_have_the_product_that_differences_of_logits_give()
    {
        var network = Network.Sequential([2, 6, 6], Layer.Conv2d(3, 3), Layer.BatchNorm(), Layer.Tanh(), Layer.MaxPool(2), Layer.Flatten(),
            Layer.Dense(Classes)).Initialize(3);
        float[][] rows = [.. Enumerable.Range(0, 9).Select(i => Enumerable.Range(0, 72).Select(j => MathF.Sin(i * 3.1f + j * 0.9f + 0.2f * i * j)).ToArray())];
        using var run = Start(network, LearningTask.Multiclass, Loss.CrossEntropy, [.. Enumerable.Range(0, 9).Select(i => (float)(i % Classes))], rows);
        using var model = new QuadraticModel(run, Curvature.GaussNewton);
        var random = new Random(1);
        float[] change = [.. model.Weights.Select(_ => (float)(random.NextDouble() - 0.5))];
        // d' H d is the mean of the variance, under the predicted probabilities, of what each logit changes by.
        var expected = 0.0;
        const float Step = 1e-2f;
        using (TorchSharp.torch.no_grad())
        {
            var logits = Logits(network, 0);
            var (up, down) = (Logits(network, Step), Logits(network, -Step));
            for (var i = 0; i < rows.Length; i++)
            {
                double[] p = [.. logits[i].Select(logit => Math.Exp(logit))];
                var sum = p.Sum();
                double[] moved = [.. up[i].Zip(down[i], (a, b) => ((double)a - b) / (2 * Step))];
                var mean = p.Zip(moved, (q, m) => q / sum * m).Sum();
                expected += p.Zip(moved, (q, m) => q / sum * (m - mean) * (m - mean)).Sum() / rows.Length;
            }
        }

        Assert.AreEqual(expected, change.Zip(model.Times(change), (d, h) => (double)d * h).Sum(), 5e-3 * expected);

        float[][] Logits(Network one, float step)
        {
            var place = 0;
            var moved = one.WithParameters(one.Parameters.Where(parameter => parameter.Trainable).Select(parameter
                => parameter.WithValues([.. parameter.Values.ToArray().Select(value => value + step * change[place++])])));
            using var other = Start(moved, LearningTask.Multiclass, Loss.CrossEntropy, [.. Enumerable.Range(0, 9).Select(i => (float)(i % Classes))], rows);
            var all = new List<float[]>();
            other.ForEachBatch((batch, _, _) => all.AddRange(other.Forward(batch).data<float>().ToArray().Chunk(Classes)));
            return [.. all];
        }
    }

    [TestMethod]
    public void What_was_kept_of_a_pass_changes_nothing()
    {
        var network = Network.Mlp(Inputs, 6, Classes).Initialize(5);
        using var run = Start(network, LearningTask.Multiclass, Loss.CrossEntropy, s_targets, s_rows);
        using var kept = new QuadraticModel(run, Curvature.GaussNewton);
        using var again = new QuadraticModel(run, Curvature.GaussNewton, kept.Diagonal, mostKept: 0);
        float[] vector = [.. kept.Weights.Select((_, i) => MathF.Cos(i))];
        CollectionAssert.AreEqual(kept.Times(vector), again.Times(vector));
        CollectionAssert.AreEqual(kept.Times(vector), kept.Times(vector), "a product leaves nothing behind");
    }

    private static CalibrationRun Start(Network network, LearningTask task, Loss loss, float[] targets, float[][] rows)
        => new(new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty), Calibrations.Of(rows, targets, task, loss), rows.Length);
}
