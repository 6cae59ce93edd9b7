using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>WoodFisher against the second moments of the gradients of softmax regression, which are known in closed form.</summary>
[TestClass]
public class WoodFisherTests
{
    private const double Damping = 0.05;
    private const int Inputs = 5, Classes = 3;

    private static readonly float[][] s_rows = RecoveryCase.Rows(37, Inputs, 2);

    [TestMethod]
    [DataRow(15)]
    [DataRow(128)]
    [DataRow(4)]
    [DataRow(1)]
    public void Scores_and_changes_are_those_of_the_blocks_of_the_Fisher_information(int blockSize)
    {
        var network = Network.Mlp(Inputs, Classes).Initialize(5);
        var measured = Importance.WoodFisher(37, Damping, blockSize).On(network, RecoveryCase.Data(s_rows, Classes));
        var (weights, scores) = (network["fc1.weight"].Values.ToArray(), measured.Weights(network["fc1.weight"]));
        var gradients = Gradients(network);
        var ridge = Damping * Enumerable.Range(0, weights.Length).Average(i => gradients.Average(row => row[i] * row[i]));
        bool[] kept = [.. Enumerable.Range(0, weights.Length).Select(i => i % 4 is not (1 or 2))];
        var after = measured.Compensate(network.WithMask("fc1.weight", new(kept))).Network["fc1.weight"].Values;
        for (var start = 0; start < weights.Length; start += blockSize)
        {
            int[] block = [.. Enumerable.Range(start, Math.Min(blockSize, weights.Length - start))];
            double Moment(int i, int j) => gradients.Average(row => row[i] * row[j]) + (i == j ? ridge : 0);
            // The least of d' F d / 2 with some weights at zero.
            double[] Least(int[] gone)
            {
                int[] stays = [.. block.Except(gone)];
                var change = LeastSquares.Solved([.. stays.Select(i
                    => stays.Select(j => Moment(i, j)).Append(gone.Sum(j => Moment(i, j) * weights[j])).ToArray())]);
                return [.. block.Select(i => Array.IndexOf(stays, i) is >= 0 and var place ? change[place] : -weights[i])];
            }

            foreach (var i in block)
            {
                var change = Least([i]);
                var rise = 0.5 * block.Index().Sum(a => block.Index().Sum(b => change[a.Index] * change[b.Index] * Moment(a.Item, b.Item)));
                Assert.AreEqual(rise, scores[i], 1e-4 * rise, $"weight {i}");
            }

            foreach (var (i, change) in block.Zip(Least([.. block.Where(i => !kept[i])])))
            {
                Assert.AreEqual(kept[i] ? weights[i] + change : 0, after[i], 1e-4, $"weight {i}");
            }
        }
    }

    [TestMethod]
    public void Numbers_are_checked_and_dead_weights_cost_nothing_but_the_ridge()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WoodFisher(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WoodFisher(damping: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.WoodFisher(blockSize: 0));
        // An input that is always zero has no gradient.
        float[][] rows = [.. s_rows.Select(row => (float[])[.. row[..4], 0])];
        var network = Network.Mlp(Inputs, Classes).Initialize(5);
        var scores = Importance.WoodFisher().On(network, RecoveryCase.Data(rows, Classes)).Weights(network["fc1.weight"]);
        for (var unit = 0; unit < Classes; unit++)
        {
            var weight = network["fc1.weight"].Values[unit * Inputs + 4];
            Assert.IsTrue(scores[unit * Inputs + 4] > 0 && scores[unit * Inputs + 4] < 0.5 * weight * weight * 0.01);
        }
    }

    /// <summary>Of single rows: (p - y) x'.</summary>
    private static double[][] Gradients(Network network)
    {
        var outputs = RecoveryCase.Outputs(network, s_rows);
        return [.. s_rows.Select((row, r) =>
        {
            double[] logits = [.. outputs.AsSpan(r * Classes, Classes).ToArray().Select(value => (double)value)];
            var sum = logits.Sum(Math.Exp);
            double Slope(int unit) => Math.Exp(logits[unit]) / sum - (r % Classes == unit ? 1 : 0);
            return Enumerable.Range(0, Classes * Inputs).Select(i => Slope(i / Inputs) * row[i % Inputs]).ToArray();
        })];
    }
}
