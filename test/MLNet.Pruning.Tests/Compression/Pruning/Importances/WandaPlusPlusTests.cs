namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Regional gradients against those of each row by hand.</summary>
[TestClass]
public class WandaPlusPlusTests
{
    private const int Inputs = 4, Hidden = 5, Outputs = 3;

    private static readonly float[][] s_rows = [.. Enumerable.Range(0, 11).Select(i => Enumerable.Range(0, Inputs)
        .Select(j => MathF.Sin(1 + i * 1.7f + j * 2.3f + i * j)).ToArray())];

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(4)]
    public void Scores_are_those_of_the_gradients_of_each_row(int layersOn)
    {
        const double Alpha = 3;
        var network = Network.Sequential([Inputs], Layer.Dense(Hidden), Layer.Tanh(), Layer.Dense(Outputs)).Initialize(2);
        var (w1, b1, w2, b2) = (Values("fc1.weight"), Values("fc1.bias"), Values("fc2.weight"), Values("fc2.bias"));
        var (squares1, squares2, norms1, norms2) = (new double[w1.Length], new double[w2.Length], new double[Inputs], new double[Hidden]);
        foreach (var row in s_rows)
        {
            double[] z = [.. b1.Select((b, u) => b + row.Select((x, i) => x * w1[u * Inputs + i]).Sum())], h = [.. z.Select(Math.Tanh)];
            double[] y = [.. b2.Select((b, k) => b + h.Select((x, u) => x * w2[k * Hidden + u]).Sum())];
            for (var u = 0; u < Hidden; u++)
            {
                var slope = layersOn == 0 ? z[u] / Norm(z) : (1 - h[u] * h[u]) * y.Select((value, k) => value / Norm(y) * w2[k * Hidden + u]).Sum();
                for (var i = 0; i < Inputs; i++)
                {
                    squares1[u * Inputs + i] += slope * row[i] * slope * row[i] / s_rows.Length;
                    norms1[i] += u == 0 ? row[i] * row[i] / (double)s_rows.Length : 0;
                }

                for (var k = 0; k < Outputs; k++)
                {
                    squares2[k * Hidden + u] += Math.Pow(y[k] / Norm(y) * h[u], 2) / s_rows.Length;
                }

                norms2[u] += h[u] * h[u] / s_rows.Length;
            }
        }

        var data = Calibrations.Of(s_rows, s_rows.Select((_, i) => (float)(i % Outputs)), LearningTask.Multiclass, Loss.CrossEntropy);
        var scores = Importance.WandaPlusPlus(100, Alpha, layersOn).On(network, data);
        Close.AreEqual([.. w1.Select((w, i) => (float)(Math.Abs(w) * (Alpha * Math.Sqrt(squares1[i]) + Math.Sqrt(norms1[i % Inputs]))))],
            scores.Weights(network["fc1.weight"]), 1e-5, "fc1");
        Close.AreEqual([.. w2.Select((w, i) => (float)(Math.Abs(w) * (Alpha * Math.Sqrt(squares2[i]) + Math.Sqrt(norms2[i % Hidden]))))],
            scores.Weights(network["fc2.weight"]), 1e-5, "fc2");

        double[] Values(string name) => [.. network[name].Values.ToArray().Select(value => (double)value)];
    }

    [TestMethod]
    public void Without_gradients_convolutions_are_ordered_as_by_Wanda()
    {
        var (one, network) = (ImportanceFixture.Case("images"), ImportanceFixture.Case("images").Network());
        var (plain, other) = (Importance.Wanda().On(network, one.Data()), Importance.WandaPlusPlus(alpha: 0).On(network, one.Data()));
        var with = Importance.WandaPlusPlus(alpha: 1).On(network, one.Data());
        foreach (var layer in network.Layers.Where(layer => layer.Weights.Length > 0))
        {
            var weight = network[layer.Weights[0]];
            var root = MathF.Sqrt(one.Rows.Length);
            Close.AreEqual(Array.ConvertAll(plain.Weights(weight), score => score / root), other.Weights(weight), 1e-6, weight.Name);
            Assert.IsTrue(with.Weights(weight).Zip(other.Weights(weight)).Any(pair => pair.First > pair.Second * 1.01), weight.Name);
        }
    }

    [TestMethod]
    public void Numbers_are_checked_when_set()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WandaPlusPlus(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WandaPlusPlus(alpha: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WandaPlusPlus(alpha: double.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WandaPlusPlus(layersOn: -1));
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(value => value * value));
}
