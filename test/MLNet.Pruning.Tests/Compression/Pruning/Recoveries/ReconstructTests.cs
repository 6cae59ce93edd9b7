using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>Least-squares reconstruction: exact where what went follows from what stays, else where the error is stationary.</summary>
[TestClass]
public class ReconstructTests
{
    private static readonly Recovery s_exact = Recovery.Reconstruct(damping: 1e-10);

    [TestMethod]
    public void Units_that_others_and_a_constant_explain_are_made_up_for()
    {
        // Unit 4 is unit 1, unit 5 half of unit 2 behind a rectifier, unit 6 always 3: only the bias can make up for it.
        var network = Network.Mlp(5, 8, 6, 3).Initialize(3).Tied(["fc1.weight", "fc1.bias"], 4, 1).Tied(["fc1.weight", "fc1.bias"], 5, 2, 0.5f)
            .Tied(["fc1.weight"], 6, 0, 0);
        var bias = network["fc1.bias"].Values.ToArray();
        bias[6] = 3;
        network = network.With("fc1.bias", bias);
        Same(network, "fc1", [4, 5, 6], 5);
    }

    [TestMethod]
    public void Filters_are_made_up_for_through_normalisation_and_pooling()
        => Same(RecoveryCase.Convolutional().Tied(["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias"], 5, 3), "conv1", [5], 200);

    [TestMethod]
    public void Filters_are_made_up_for_behind_a_flatten()
        => Same(RecoveryCase.Convolutional().Tied(["conv2.weight", "bn2.weight", "bn2.bias"], 2, 0, 1), "conv2", [2], 200);

    [TestMethod]
    public void Layers_that_lost_outputs_too_aim_at_those_that_stay()
    {
        var network = Network.Mlp(5, 8, 6, 3).Initialize(3).Tied(["fc1.weight", "fc1.bias"], 4, 1).Tied(["fc2.weight", "fc2.bias"], 3, 5);
        var removed = network.Remove(network.Groups().Where(group => (group.Layer, group.Number) is ("fc1", 4) or ("fc2", 3)));
        var rows = RecoveryCase.Rows(200, 5, 1);
        var recovered = s_exact.Recover(new(network.Unpruned(), removed.Unpruned(), new(), RecoveryCase.Data(rows))).Network;
        Assert.AreEqual((7, 5), (recovered["fc1.weight"].Shape[0], recovered["fc2.weight"].Shape[0]));
        var other = RecoveryCase.Rows(30, 5, 2);
        Close.AreEqual(RecoveryCase.Outputs(network, other), RecoveryCase.Outputs(recovered, other), 1e-4, "outputs");
    }

    [TestMethod]
    public void A_second_step_counts_from_what_the_first_left()
    {
        var network = Network.Mlp(5, 8, 3).Initialize(3).Tied(["fc1.weight", "fc1.bias"], 0, 7).Tied(["fc1.weight", "fc1.bias"], 4, 6);
        var data = RecoveryCase.Data(RecoveryCase.Rows(200, 5, 1));
        var once = RecoveryCase.Without(network, "fc1", [0], s_exact, data).Recovered;
        // Unit 4 of the original is number 3 now.
        var twice = RecoveryCase.Without(once, "fc1", [3], s_exact, data).Recovered;
        var other = RecoveryCase.Rows(30, 5, 2);
        Close.AreEqual(RecoveryCase.Outputs(network, other), RecoveryCase.Outputs(twice, other), 1e-4, "outputs");
    }

    [TestMethod]
    public void Factors_of_a_dense_layer_and_a_shift_behind_a_product_are_accounted_for()
    {
        var random = new Random(2);
        Parameter Values(string name, params int[] shape) => new(name, [.. shape],
            [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => 2 * random.NextSingle() - 1)], true, Initializer.KaimingUniform(4));
        var network = new Network(new TensorInfo("input", [-1, 5]), "out",
        [
            new("first", "MatMul", ["input", "w1"], ["product"]),
            new("shift", "Add", ["product", "b1"], ["shifted"]),
            new("act", "Relu", ["shifted"], ["hidden"]),
            new("second", "MatMul", ["hidden", "w2"], ["product2"]),
            new("shift2", "Add", ["b2", "product2"], ["hidden2"]),
            new("third", "Gemm", ["hidden2", "w3", "b3"], ["out"], [new("alpha", 0.5f), new("beta", -2f)]),
        ], [Values("w1", 5, 8), Values("b1", 8), Values("w2", 8, 4), Values("b2", 4), Values("w3", 4, 3), Values("b3", 3)]);
        // Unit 6 of the first is a constant; unit 3 of the second is its unit 1.
        var (w1, b1, w2, b2) = (network["w1"].Values.ToArray(), network["b1"].Values.ToArray(), network["w2"].Values.ToArray(), network["b2"].Values.ToArray());
        for (var i = 0; i < 5; i++)
        {
            w1[i * 8 + 6] = 0;
        }

        for (var i = 0; i < 8; i++)
        {
            w2[i * 4 + 3] = w2[i * 4 + 1];
        }

        (b1[6], b2[3]) = (2, b2[1] + 1);
        network = network.With("w1", w1).With("b1", b1).With("w2", w2).With("b2", b2);
        Same(network, "first", [6], 5);
        Same(network, "second", [3], 5);
    }

    [TestMethod]
    public void Where_weights_are_zero_the_others_and_the_bias_are_where_the_error_is_stationary()
    {
        const double damping = 0.02;
        var rows = RecoveryCase.Rows(40, 5, 1);
        var network = Network.Mlp(5, 4).Initialize(2);
        var mask = new WeightMask([.. Enumerable.Range(0, 20).Select(i => i % 3 != 1)]);
        var after = Recovery.Reconstruct(damping: damping).Recover(new(network.Unpruned(), network.WithMask("fc1.weight", mask), null,
            RecoveryCase.Data(rows)));
        var error = RecoveryCase.Outputs(network, rows).Zip(RecoveryCase.Outputs(after.Network, rows), (a, b) => (double)b - a).ToArray();
        var mean = damping * rows.Sum(row => row.Sum(value => (double)value * value)) / 5;
        for (var i = 0; i < 20; i++)
        {
            var (unit, input) = (i / 5, i % 5);
            var change = after.Network["fc1.weight"].Values[i] - (double)network["fc1.weight"].Values[i];
            if (mask[i])
            {
                Assert.AreEqual(0, rows.Select((row, n) => error[n * 4 + unit] * row[input]).Sum() + mean * change, 1e-4, $"weight {i}");
                Assert.IsGreaterThan(1e-4, Math.Abs(change), $"weight {i} has something to make up for");
            }
            else
            {
                Assert.AreEqual(0, after.Network["fc1.weight"].Values[i]);
            }
        }

        for (var unit = 0; unit < 4; unit++)
        {
            Assert.AreEqual(0, rows.Select((_, n) => error[n * 4 + unit]).Sum(), 1e-4, $"bias {unit}");
        }
    }

    [TestMethod]
    public void A_chain_loses_less_with_it()
    {
        foreach (var (granularity, share) in new[] { (Granularity.Neuron, 0.6), (Granularity.Weight, 0.85) })
        {
            double After(Recovery? recovery) => Run(new() { Amount = Amount.Fraction(share), Granularity = granularity, Recovery = recovery, FineTuneEpochs = 0,
                Schedule = Schedule.Linear(2) }).GetReport<PruningReport>().Steps[^1].Validation!.Metric;
            Assert.IsGreaterThan(After(null) + 0.02, After(Recovery.Reconstruct()), granularity.ToString());
        }
    }

    [TestMethod]
    public void Behind_a_block_that_is_gone_all_layers_are_fitted()
    {
        Layer Block(string name) => Layer.Residual(Layer.Dense(6, name: name + "a"), Layer.Dense(6, name: name + "b"));
        // Without rectifiers the network is linear, so that the head alone can make up for a block.
        var network = Network.Sequential([6], Block("one"), Block("two"), Layer.Dense(3, name: "head")).Initialize(4);
        var removed = BlockRemoval.Remove(network, [BlockRemoval.Find(network, false)[0]]);
        var recovered = s_exact.Recover(new(network.Unpruned(), removed.Unpruned(), null, RecoveryCase.Data(RecoveryCase.Rows(100, 6, 1)))).Network;
        var other = RecoveryCase.Rows(20, 6, 2);
        Close.AreEqual(RecoveryCase.Outputs(network, other), RecoveryCase.Outputs(recovered, other), 1e-3, "outputs");
    }

    [TestMethod]
    public void The_same_rows_give_the_same_bits()
    {
        var options = new PruningOptions { Granularity = Granularity.Neuron, Recovery = Recovery.MergeNearest().Then(Recovery.Reconstruct()) };
        CollectionAssert.AreEqual(Run(options).Network["fc2.weight"].Values.ToArray(), Run(options).Network["fc2.weight"].Values.ToArray());
    }

    [TestMethod]
    public void Numbers_are_checked_when_set_and_rows_are_asked_for()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Reconstruct(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Reconstruct(damping: 0));
        Assert.ThrowsExactly<ArgumentNullException>(() => Recovery.Reconstruct().Then(null!));
        var network = Network.Mlp(5, 4, 2).Initialize(2);
        var removed = network.Remove([network.Groups()[0]]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            s_exact.Recover(new(network.Unpruned(), removed.Unpruned(), new(), null))).Message, "Recovery.Reconstruct");
    }

    private static void Same(Network network, string layer, int[] numbers, int width)
    {
        var (removed, recovered) = RecoveryCase.Without(network, layer, numbers, s_exact, RecoveryCase.Data(RecoveryCase.Rows(200, width, 1)));
        // Rows that were not seen.
        var other = RecoveryCase.Rows(30, width, 2);
        var expected = RecoveryCase.Outputs(network, other);
        Assert.IsGreaterThan(0.1, RecoveryCase.Distance(expected, RecoveryCase.Outputs(removed, other)), "there is something to make up for");
        Close.AreEqual(expected, RecoveryCase.Outputs(recovered, other), 1e-4, "outputs");
    }

    private static NeuralNetworkTransformer Run(PruningOptions options)
    {
        var ml = new MLContext(1);
        var training = Digits.Options(6) with { Seed = 1, ValidationFraction = 0.2 };
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(training)).Append(ml.Transforms.Prune(options))
            .Fit(Digits.Load(ml)).LastTransformer;
    }
}
