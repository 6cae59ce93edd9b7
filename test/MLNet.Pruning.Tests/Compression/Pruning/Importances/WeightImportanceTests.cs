using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Criteria that score single weights, against what PyTorch computes in double precision.</summary>
[TestClass]
public class WeightImportanceTests
{
    private static IEnumerable<object[]> Criteria { get; } =
    [
        [Importance.Gradient(), "gradient"], [Importance.Taylor(), "taylor"], [Importance.AbsoluteTaylor(), "absolute_taylor"],
        [Importance.Snip(), "snip"], [Importance.Grasp(), "grasp"], [Importance.Fisher(), "fisher"], [Importance.DiagonalHessian(), "diagonal_hessian"],
        [Importance.Wanda(), "wanda"], [Importance.SynFlow, "synflow"], [Importance.LossChange(), "loss_change"],
    ];

    [TestMethod]
    [DynamicData(nameof(Criteria))]
    public void Scores_equal_those_of_torch(Importance importance, string name)
    {
        // All rows at once and in batches that do not divide them.
        foreach (var batch in new[] { 12, 5 })
        {
            Compare(importance, name, batch);
        }
    }

    [TestMethod]
    [DataRow("dense", 0.5)]
    [DataRow("dense", 0.0)]
    [DataRow("images", 1.5)]
    public void Ria_is_a_share_of_the_unit_and_one_of_the_input_times_a_power_of_what_Wanda_measures(string name, double power)
    {
        var fixture = ImportanceFixture.Case(name);
        var (network, data) = (fixture.Network(), fixture.Data());
        var (ria, wanda) = (Importance.Ria(power: power).On(network, data), Importance.Wanda().On(network, data));
        foreach (var weight in network.Layers.Where(layer => layer.Weights.Length == 1 && layer.Node.Operator is "Gemm" or "Conv").Select(layer
            => network[layer.Weights[0]]))
        {
            var (scores, norms, values) = (ria.Weights(weight), wanda.Weights(weight), weight.Values.ToArray());
            var columns = values.Length / weight.Shape[0];
            for (var i = 0; i < values.Length; i++)
            {
                var row = Enumerable.Range(0, columns).Sum(j => Math.Abs((double)values[i / columns * columns + j]));
                var column = Enumerable.Range(0, weight.Shape[0]).Sum(k => Math.Abs((double)values[k * columns + i % columns]));
                var size = Math.Abs((double)values[i]);
                var expected = (size / row + size / column) * Math.Pow(norms[i] / size, power);
                Assert.AreEqual(expected, scores[i], 1e-4 * expected, $"{weight.Name}[{i}]");
            }
        }
    }

    [TestMethod]
    public void Movement_is_what_gradient_descent_gives() => Compare(Importance.Movement(epochs: 3, learningRate: 0.05), "movement", 12);

    [TestMethod]
    public void Movement_over_batches_follows_each_step()
    {
        // One weight, y = w x, squared error, one row twice: w goes by -0.1 * 2 (w x - t) x a step.
        var network = Network.Mlp(1, 1).Initialize(0).With("fc1.weight", [0.5f]).With("fc1.bias", [0f]);
        var data = Calibrations.Of([[2f], [2f]], [3f, 3f], LearningTask.Regression, Loss.MeanSquaredError, batchSize: 1);
        var (w, b, expected) = (0.5, 0.0, 0.0);
        for (var step = 0; step < 4; step++)
        {
            var error = w * 2 + b - 3;
            expected -= w * 2 * error * 2;
            (w, b) = (w - 0.01 * 2 * error * 2, b - 0.01 * 2 * error);
        }

        Assert.AreEqual(expected, Importance.Movement(epochs: 2, learningRate: 0.01).On(network, data).Weights(network["fc1.weight"])[0], 1e-5);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void The_diagonal_Hessian_of_a_linear_network_has_a_closed_form(bool isBinary)
    {
        var (network, rows) = Linear();
        var data = Calibrations.Of(rows, rows.Select(row => isBinary ? row[0] > 0 ? 1f : 0 : row[1]), isBinary ? LearningTask.Binary : LearningTask.Regression,
            isBinary ? Loss.BinaryCrossEntropy : Loss.MeanSquaredError, 3);
        var measured = Importance.DiagonalHessian().On(network, data).Weights(network["fc1.weight"]);
        for (var i = 0; i < 4; i++)
        {
            var weights = network["fc1.weight"].Values.ToArray();
            var second = rows.Average(row =>
            {
                var p = 1 / (1 + Math.Exp(-row.Zip(weights, (x, w) => x * w).Sum()));
                return row[i] * row[i] * (isBinary ? p * (1 - p) : 2);
            });
            Assert.AreEqual(weights[i] * weights[i] * second / 2, measured[i], 1e-5 * Math.Max(1, measured[i]));
        }
    }

    [TestMethod]
    public void Probes_come_to_the_exact_diagonal_on_average()
    {
        var fixture = ImportanceFixture.Case("dense");
        var network = fixture.Network();
        var measured = Importance.DiagonalHessian(probes: 4000).On(network, fixture.Data(6)).Weights(network["fc3.weight"]);
        var exact = fixture.Scores["diagonal_hessian"]["fc3.weight"];
        // The square of a sum of signs has a relative deviation of at most sqrt(2); a batch averages 4000 of them: six deviations.
        for (var i = 0; i < exact.Length; i++)
        {
            Assert.AreEqual(exact[i], measured[i], 6 * Math.Sqrt(2.0 / 4000) * exact[i] + 1e-9, $"weight {i}");
        }
    }

    [TestMethod]
    public void The_absolute_error_has_no_curvature()
    {
        var (network, rows) = Linear();
        var data = Calibrations.Of(rows, rows.Select(row => row[0]), LearningTask.Regression, Loss.MeanAbsoluteError);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Importance.DiagonalHessian().On(network, data)).Message, "curvature");
    }

    [TestMethod]
    public void SynFlow_conserves_flow_through_every_layer()
    {
        // Without biases each layer's scores add up to R, here to 1, whatever its size (Tanaka et al. 2020, theorem 1).
        var network = Network.Sequential([1, 6, 6], Layer.Conv2d(4, 3, bias: false), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(),
            Layer.Dense(30, bias: false), Layer.Relu(), Layer.Dense(3, bias: false)).Initialize(2);
        var measured = Importance.SynFlow.On(network, null);
        foreach (var name in new[] { "conv1.weight", "fc1.weight", "fc2.weight" })
        {
            Assert.AreEqual(1, measured.Weights(network[name]).Sum(score => (double)score), 1e-5, name);
        }
    }

    [TestMethod]
    public void SynFlow_in_rounds_keeps_every_layer_alive_where_one_round_does_not()
    {
        var network = Network.Mlp(50, 40, 40, 40, 10).Initialize(3);
        var pruned = network.Prune(Amount.Count(0));
        var total = network.Parameters.Where(parameter => parameter.Shape.Length == 2).Sum(parameter => parameter.Count);
        foreach (var sparsity in Schedule.Geometric(100).Sparsities(0, 0.995))
        {
            pruned = pruned.Prune(Amount.Count((long)Math.Round(sparsity * total)), Importance.SynFlow);
        }

        Assert.AreEqual(28, pruned.Masks.Values.Sum(mask => mask.Kept));
        Assert.IsTrue(pruned.Masks.Values.All(mask => mask.Kept > 0), "no layer is lost");
        Assert.IsFalse(network.Prune(Amount.Count(total - 28), Importance.SynFlow).Masks.Values.All(mask => mask.Kept > 0),
            "at once, one is: the rounds are what keeps it");
    }

    [TestMethod]
    public void Dropped_weights_are_worth_nothing()
    {
        var fixture = ImportanceFixture.Case("dense");
        var pruned = fixture.Network().Prune(Amount.Fraction(0.5));
        foreach (var criterion in Criteria.Select(row => (Importance)row[0]))
        {
            var measured = criterion.Measure(new(pruned, fixture.Data()));
            foreach (var (name, mask) in pruned.Masks)
            {
                var scores = measured.Weights(pruned.Network[name]);
                Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || scores[i] == 0), $"{criterion}: {name}");
            }
        }
    }

    private static void Compare(Importance importance, string name, int batch)
    {
        foreach (var fixture in new[] { ImportanceFixture.Case("dense"), ImportanceFixture.Case("images") })
        {
            var network = fixture.Network();
            var measured = importance.On(network, fixture.Data(batch));
            foreach (var (parameter, expected) in fixture.Scores[name].Where(scores => name != "synflow" || !scores.Key.StartsWith("bn")))
            {
                var actual = measured.Weights(network[parameter]);
                // Criteria only compare: within a share of the largest score. A difference of losses has the rounding of a loss.
                var tolerance = name == "loss_change" ? 1e-6 : 2e-5 * expected.Max(Math.Abs);
                Assert.IsGreaterThan(0, tolerance, parameter);
                for (var i = 0; i < expected.Length; i++)
                {
                    Assert.AreEqual(expected[i], actual[i], tolerance, $"{name} of {parameter} ({fixture.Name}, batches of {batch}), weight {i}");
                }
            }
        }
    }

    private static (Network, float[][]) Linear()
    {
        var random = new Random(5);
        return (Network.Mlp(4, 1).Initialize(1).With("fc1.bias", [0f]),
            [.. Enumerable.Range(0, 10).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle() * 2 - 1).ToArray())]);
    }
}
