using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using TorchSharp;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Optimal brain surgeon against what it optimises: the outputs of a layer.</summary>
[TestClass]
public class OptimalBrainSurgeonTests
{
    private const double Damping = 1e-3;

    [TestMethod]
    public void The_score_is_the_least_error_without_the_weight()
    {
        var (network, rows, data) = Dense();
        var measured = Importance.OptimalBrainSurgeon(damping: Damping).On(network, data);
        var scores = measured.Weights(network["fc1.weight"]);
        var moments = Moments(rows);
        for (var i = 0; i < scores.Length; i++)
        {
            var kept = Enumerable.Repeat(true, scores.Length).ToArray();
            kept[i] = false;
            var after = measured.Compensate(Masked(network, kept)).Network["fc1.weight"].Values;
            double[] change = [.. after[(i / 5 * 5)..(i / 5 * 5 + 5)].ToArray()
                .Zip(network["fc1.weight"].Values.Slice(i / 5 * 5, 5).ToArray(), (a, b) => (double)a - b)];
            Assert.AreEqual(0.5 * Quadratic(moments, change), scores[i], 1e-5 * scores[i], $"weight {i}");
        }
    }

    [TestMethod]
    [DataRow(0.3)]
    [DataRow(0.8)]
    public void What_stays_is_where_the_error_is_stationary(double dropped)
    {
        var (network, rows, data) = Dense();
        var moments = Moments(rows);
        var random = new Random(8);
        bool[] kept = [.. Enumerable.Range(0, 20).Select(_ => random.NextDouble() > dropped)];
        var after = Importance.OptimalBrainSurgeon(damping: Damping).On(network, data).Compensate(Masked(network, kept)).Network["fc1.weight"].Values;
        for (var i = 0; i < 20; i++)
        {
            var row = i / 5 * 5;
            if (!kept[i])
            {
                Assert.AreEqual(0, after[i]);
                continue;
            }

            // The gradient of d' H d / 2 at a weight that stays.
            var gradient = 0.0;
            for (var j = 0; j < 5; j++)
            {
                gradient += moments[i - row][j] * ((double)after[row + j] - network["fc1.weight"].Values[row + j]);
            }

            Assert.AreEqual(0, gradient, 1e-6, $"weight {i}");
        }
    }

    [TestMethod]
    [DataRow(OptimalBrainSurgeonImportance.ExactInputs)]
    [DataRow(0)]
    public void Without_units_the_layer_that_read_them_is_where_the_error_is_stationary(int exactInputs)
    {
        // Behind a rectifier that lets all through, the hidden units are what the rows say.
        var random = new Random(6);
        float[][] rows = [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle())
            .Select(common => Enumerable.Range(0, 5).Select(_ => common + random.NextSingle()).ToArray())];
        var network = Network.Mlp(5, 5, 4).Initialize(2);
        network = network.With("fc1.weight", [.. Enumerable.Range(0, 25).Select(i => i % 6 == 0 ? 1f : 0)]).With("fc1.bias", new float[5]);
        var measured = new OptimalBrainSurgeonImportance(256, Damping, exactInputs: exactInputs)
            .On(network, Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 4)), LearningTask.Multiclass, Loss.CrossEntropy, 7));
        var removed = network.Remove(network.Groups().Where(group => group.Number is 1 or 3));
        var after = measured.Compensate(new(removed, ImmutableDictionary<string, WeightMask>.Empty)).Network["fc2.weight"];
        Assert.AreEqual(3, after.Shape[1]);
        var moments = Moments(rows);
        int[] kept = [0, 2, 4];
        for (var unit = 0; unit < 4; unit++)
        {
            double[] change = [.. Enumerable.Range(0, 5).Select(j =>
                (Array.IndexOf(kept, j) is >= 0 and var place ? after.Values[unit * 3 + place] : 0.0) - network["fc2.weight"].Values[unit * 5 + j])];
            foreach (var i in kept)
            {
                Assert.AreEqual(0, Enumerable.Range(0, 5).Sum(j => moments[i][j] * change[j]), 1e-5, $"weight {i} of unit {unit}");
            }
        }
    }

    [TestMethod]
    [DataRow(OptimalBrainSurgeonImportance.ExactInputs)]
    [DataRow(0)]
    public void Greedy_takes_groups_one_after_another_each_the_one_without_which_the_error_rises_least(int exactInputs)
    {
        var random = new Random(7);
        float[][] rows = [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle())
            .Select(common => Enumerable.Range(0, 6).Select(_ => common + random.NextSingle()).ToArray())];
        var network = Network.Mlp(6, 6, 4).Initialize(3);
        network = network.With("fc1.weight", [.. Enumerable.Range(0, 36).Select(i => i % 7 == 0 ? 1f : 0)]).With("fc1.bias", new float[6]);
        var structure = network.Groups();
        var family = structure.Families.Single();
        var data = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 4)), LearningTask.Multiclass, Loss.CrossEntropy, 7);
        var scores = new OptimalBrainSurgeonImportance(256, Damping, SurgeonOrder.Greedy, exactInputs).On(network, data).ScoreFamily(structure, family)!;
        var (error, units, left) = (new LeastSquares(rows, Damping), LeastSquares.Units(network["fc2.weight"]), family.Groups.ToList());
        var (done, most) = (0.0, 0.0);
        while (left.Count > 0)
        {
            double Without(PruningGroup group) => error.Least(units, [.. left.Where(other => other != group).Select(other => other.Number)]);
            var next = left.MinBy(Without)!;
            var now = Without(next);
            most = Math.Max(most, now - done);
            Assert.AreEqual(most, scores[family.Groups.IndexOf(next)], 1e-5 * most, $"unit {next.Number}");
            (done, _) = (now, left.Remove(next));
        }
    }

    [TestMethod]
    public void The_sweep_corrects_each_dropped_weight_by_those_after_it()
    {
        var (network, rows, data) = Dense();
        var moments = Moments(rows);
        bool[] kept = [.. Enumerable.Range(0, 20).Select(i => i % 3 != 1)];
        var after = new OptimalBrainSurgeonImportance(256, Damping, exactInputs: 0).On(network, data)
            .Compensate(Masked(network, kept)).Network["fc1.weight"].Values;
        for (var row = 0; row < 4; row++)
        {
            double[] w = [.. network["fc1.weight"].Values.Slice(row * 5, 5).ToArray().Select(value => (double)value)];
            for (var j = 0; j < 5; j++)
            {
                if (!kept[row * 5 + j])
                {
                    // Least change of the output by the inputs after j alone: H_tt d = H_tj w_j.
                    int[] later = [.. Enumerable.Range(j + 1, 4 - j)];
                    var change = LeastSquares.Solved([.. later.Select(a => later.Select(b => moments[a][b]).Append(moments[a][j] * w[j]).ToArray())]);
                    for (var t = 0; t < later.Length; t++)
                    {
                        w[later[t]] += change[t];
                    }

                    w[j] = 0;
                }
            }

            for (var j = 0; j < 5; j++)
            {
                Assert.AreEqual(w[j], after[row * 5 + j], 1e-5, $"weight {j} of row {row}");
            }
        }
    }

    [TestMethod]
    public void A_convolution_s_outputs_are_stationary_too()
    {
        var fixture = ImportanceFixture.Case("images");
        var network = fixture.Network();
        var random = new Random(3);
        bool[] kept = [.. Enumerable.Range(0, 72).Select(_ => random.Next(2) == 0)];
        var measured = Importance.OptimalBrainSurgeon(damping: 1e-7).On(network, fixture.Data());
        var masked = network.WithMask("conv1.weight", new(kept));
        var after = measured.Compensate(masked).Network;
        var least = Error(after);
        Assert.IsLessThan(Error(masked.Network), least);
        for (var i = 0; i < 72; i += 5)
        {
            if (kept[i])
            {
                foreach (var step in new[] { -0.02f, 0.02f })
                {
                    var moved = after["conv1.weight"].Values.ToArray();
                    moved[i] += step;
                    Assert.IsGreaterThan(least, Error(after.With("conv1.weight", moved)), $"weight {i}");
                }
            }
        }

        // Grouped convolutions are not scored.
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => measured.Weights(network["conv2.weight"])).Message, "conv2.weight");

        double Error(Network other)
        {
            var (expected, actual) = (Outputs(network), Outputs(other));
            return expected.Zip(actual, (a, b) => ((double)a - b) * (a - b)).Sum();
        }

        float[] Outputs(Network other)
        {
            using var scope = torch.NewDisposeScope();
            using var graph = TorchGraph.ForScoring(other, "conv1.out");
            return TensorValues.Of(graph.Forward(torch.tensor(fixture.Rows.SelectMany(row => row).ToArray(), [12L, 32L])));
        }
    }

    [TestMethod]
    public void In_a_chain_it_loses_less_than_magnitude()
    {
        double After(Importance importance)
        {
            var ml = new MLContext(1);
            var training = Digits.Options(10) with { Seed = 1, ValidationFraction = 0.2 };
            var pruned = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(training))
                .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.8), Importance = importance, Scope = Scope.Layer,
                    Schedule = Schedule.Geometric(4), FineTuneEpochs = 0, Recovery = Recovery.None }))
                .Fit(Digits.Load(ml)).LastTransformer;
            Assert.AreEqual(410 + 64, pruned.Masks.Values.Sum(mask => mask.Kept));
            foreach (var (name, mask) in pruned.Masks)
            {
                Assert.AreEqual(0, Enumerable.Range(0, mask.Count).Count(i => !mask[i] && pruned.Network[name].Values[i] != 0), name);
            }

            return pruned.GetReport<PruningReport>().Steps[^1].Validation!.Metric;
        }

        Assert.IsGreaterThan(After(Importance.L1) + 0.02, After(Importance.OptimalBrainSurgeon()));
    }

    [TestMethod]
    public void The_sweep_makes_up_for_most_of_what_goes()
    {
        var random = new Random(1);
        var network = Network.Mlp(400, 16).Initialize(1);
        float[][] rows = [.. Enumerable.Range(0, 100).Select(_ => Enumerable.Range(0, 400).Select(_ => random.NextSingle() - 0.5f).ToArray())];
        var data = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 16)), LearningTask.Multiclass, Loss.CrossEntropy, 64);
        var measured = new OptimalBrainSurgeonImportance(100, 0.01, exactInputs: 0).On(network, data);
        var pruned = network.Prune(Amount.Fraction(0.5), new GivenScores(measured));
        var masked = network.WithMasks(pruned.Masks);
        double Error(Network other) => rows.Take(50).Sum(row => Enumerable.Range(0, 16).Sum(unit =>
        {
            var difference = 0.0;
            for (var j = 0; j < 400; j++)
            {
                difference += row[j] * ((double)network["fc1.weight"].Values[unit * 400 + j] - other["fc1.weight"].Values[unit * 400 + j]);
            }

            return difference * difference;
        }));
        // 100 rows leave 200 weights free to reproduce them; half of that is what one sweep is asked for.
        Assert.IsLessThan(0.5 * Error(masked.Network), Error(pruned.Network));
    }

    [TestMethod]
    public void Numbers_are_checked_when_set()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.OptimalBrainSurgeon(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.OptimalBrainSurgeon(damping: 0));
    }

    private static (Network, float[][], CalibrationData) Dense()
    {
        var random = new Random(6);
        // Inputs that go together, so that there is something to make up with.
        float[][] rows = [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle())
            .Select(common => Enumerable.Range(0, 5).Select(_ => common + random.NextSingle() - 0.5f).ToArray())];
        var network = Network.Mlp(5, 4).Initialize(2);
        return (network, rows, Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 4)), LearningTask.Multiclass, Loss.CrossEntropy, 7));
    }

    private static double[][] Moments(float[][] rows) => new LeastSquares(rows, Damping).Moments;

    private static double Quadratic(double[][] matrix, double[] vector) => vector.Select((a, i) => a * vector.Select((b, j) => b * matrix[i][j]).Sum()).Sum();

    private static PrunedNetwork Masked(Network network, bool[] kept)
        => new(network, ImmutableDictionary<string, WeightMask>.Empty.Add("fc1.weight", new(kept)));
}
