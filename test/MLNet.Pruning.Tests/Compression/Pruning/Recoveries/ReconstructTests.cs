using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Pruning.Recoveries;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using static TorchSharp.torch;

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
    public void A_layer_of_too_many_inputs_is_fitted_in_parts_each_to_what_those_before_it_leave()
    {
        // Parts of three and two inputs: behind the last, its weights are where the error is stationary.
        const double damping = 0.02;
        var rows = RecoveryCase.Rows(40, 5, 1);
        var network = Network.Mlp(5, 4).Initialize(2);
        var mask = new WeightMask([.. Enumerable.Range(0, 20).Select(i => i % 3 != 1)]);
        var (masked, told) = (network.WithMask("fc1.weight", mask), new List<string>());
        var data = RecoveryCase.Data(rows) with { Tell = told.Add };
        PrunedNetwork Recovered(int most) => new ReconstructRecovery(40, damping, most).Recover(new(network.Unpruned(), masked, null, data));
        var (after, first, whole) = (Recovered(3), Recovered(3).Network["fc1.weight"], Recovered(5));
        double Error(Network other) => RecoveryCase.Distance(RecoveryCase.Outputs(network, rows), RecoveryCase.Outputs(other, rows));
        Assert.IsLessThan(Error(masked.Network), Error(after.Network));
        Assert.IsLessThan(Error(after.Network), Error(whole.Network));
        var error = RecoveryCase.Outputs(network, rows).Zip(RecoveryCase.Outputs(after.Network, rows), (a, b) => (double)b - a).ToArray();
        var mean = damping * rows.Sum(row => row[3..].Sum(value => (double)value * value)) / 2;
        foreach (var i in Enumerable.Range(0, 20).Where(i => i % 5 >= 3 && mask[i]))
        {
            var change = first.Values[i] - (double)network["fc1.weight"].Values[i];
            Assert.AreEqual(0, rows.Select((row, n) => error[n * 4 + i / 5] * row[i % 5]).Sum() + mean * change, 1e-4, $"weight {i}");
        }

        StringAssert.Contains(told[0], "Recovery.Reconstruct holds at most");
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(4)]
    public void Convolutions_of_several_groups_get_what_least_squares_over_all_patches_give(int groups)
    {
        const double damping = 0.03;
        var rows = RecoveryCase.Rows(12, 4 * 5 * 5, 1);
        var network = Network.Sequential([4, 5, 5], Layer.Conv2d(4, 3, stride: 2, padding: 1, groups: groups)).Initialize(2);
        var each = 4 / groups * 9;
        var mask = new WeightMask([.. Enumerable.Range(0, 4 * each).Select(i => i % 4 != 1)]);
        var masked = network.WithMask("conv1.weight", mask);
        var after = Recovery.Reconstruct(damping: damping).Recover(new(network.Unpruned(), masked, null, RecoveryCase.Data(rows))).Network;
        var (before, now) = (RecoveryCase.Outputs(network, rows), RecoveryCase.Outputs(masked.Network, rows));
        for (var filter = 0; filter < 4; filter++)
        {
            // A patch for each position of each row: the channels of the filter's group.
            var (patches, lacking) = (new List<double[]>(), new List<double>());
            for (var (row, place) = (0, 0); row < rows.Length; (row, place) = place == 8 ? (row + 1, 0) : (row, place + 1))
            {
                patches.Add([.. Enumerable.Range(0, each).Select(i => (Channel: filter / (4 / groups) * (4 / groups) + i / 9, Y: place / 3 * 2 + i % 9 / 3 - 1,
                    X: place % 3 * 2 + i % 3 - 1)).Select(at => at.Y is < 0 or > 4 || at.X is < 0 or > 4 ? 0 : rows[row][at.Channel * 25 + at.Y * 5 + at.X])]);
                lacking.Add((double)before[(row * 4 + filter) * 9 + place] - now[(row * 4 + filter) * 9 + place]);
            }

            int[] kept = [.. Enumerable.Range(0, each).Where(i => mask[filter * each + i])];
            var (weights, shift) = LeastSquares(patches, lacking, kept, damping);
            for (var i = 0; i < each; i++)
            {
                Assert.AreEqual(network["conv1.weight"].Values[filter * each + i] * (mask[filter * each + i] ? 1 : 0) + weights[i],
                    after["conv1.weight"].Values[filter * each + i], 1e-5, $"filter {filter}, weight {i}");
            }

            Assert.AreEqual(network["conv1.bias"].Values[filter] + shift, after["conv1.bias"].Values[filter], 1e-5, $"filter {filter}");
        }
    }

    [TestMethod]
    [DataRow(40)]
    [DataRow(12)]
    public void The_damping_is_that_of_the_least_error_on_every_fourth_row(int count)
    {
        // What is dropped goes along with what stays.
        var (network, data, rows, order) = Held([.. RecoveryCase.Rows(count, 10, 1).Select(row => row.Select((value, i) => i % 2 == 0 ? value
            : 0.8f * row[i - 1] + 0.4f * value).ToArray())]);
        var mask = new WeightMask([.. Enumerable.Range(0, 10).Select(i => i % 2 == 0)]);
        var lacking = rows.Select(row => Enumerable.Range(0, 10).Sum(i => mask[i] ? 0 : row[i] * (double)network["fc1.weight"].Values[i])).ToArray();
        double[][] Some(Func<int, bool> chosen) => [.. order.Where((_, place) => chosen(place)).Select(row => Array.ConvertAll(rows[row], x => (double)x))];
        double[] Of(Func<int, bool> chosen) => [.. order.Where((_, place) => chosen(place)).Select(row => lacking[row])];
        int[] kept = [0, 2, 4, 6, 8];
        var best = new[] { 1e-4, 1e-3, 0.01, 0.1, 1 }.MinBy(damping =>
        {
            var (weights, shift) = LeastSquares(Some(place => place % 4 < 3), Of(place => place % 4 < 3), kept, damping);
            return Some(place => place % 4 == 3).Zip(Of(place => place % 4 == 3),
                (row, lack) => Math.Pow(lack - shift - row.Zip(weights, (x, w) => x * w).Sum(), 2)).Sum();
        });
        var (expected, bias) = LeastSquares(Some(_ => true), Of(_ => true), kept, best);
        var after = Recovery.Reconstruct(damping: null).Recover(new(network.Unpruned(), network.WithMask("fc1.weight", mask), null, data)).Network;
        Close.AreEqual([.. Enumerable.Range(0, 10).Select(i => (float)(expected[i] + (mask[i] ? network["fc1.weight"].Values[i] : 0)))],
            after["fc1.weight"].Values.ToArray(), 1e-5, "weights");
        Assert.AreEqual(network["fc1.bias"].Values[0] + bias, after["fc1.bias"].Values[0], 1e-5);
    }

    [TestMethod]
    public void A_layer_that_every_damping_makes_worse_on_rows_held_back_stays_as_it_is()
    {
        var (_, _, drawn, order) = Held(RecoveryCase.Rows(40, 10, 1));
        // What is dropped goes with what stays, but the other way and more so in the rows that are held back.
        for (var place = 0; place < order.Length; place++)
        {
            drawn[order[place]][1] = drawn[order[place]][0] * (place % 4 == 3 ? -3 : 1);
        }

        var (network, data, _, _) = Held(drawn);
        var masked = network.WithMask("fc1.weight", new WeightMask([.. Enumerable.Range(0, 10).Select(i => i != 1)]));
        PrunedNetwork After(double? damping) => Recovery.Reconstruct(damping: damping).Recover(new(network.Unpruned(), masked, null, data));
        CollectionAssert.AreEqual(masked.Network["fc1.weight"].Values.ToArray(), After(null).Network["fc1.weight"].Values.ToArray());
        CollectionAssert.AreNotEqual(masked.Network["fc1.weight"].Values.ToArray(), After(0.01).Network["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void Before_a_sum_a_layer_makes_up_for_the_other_branch()
    {
        // All is linear and what is left of the first layer can be inverted, so that of the second, units that lost nothing give the sum exactly.
        var dense = Network.Sequential([6], Layer.Dense(6, name: "first"), Layer.Residual(Layer.Dense(6, name: "second"))).Initialize(3);
        Inverted(dense, [0, 3, 9, 14, 20]);
        var images = Network.Sequential([6, 2, 2], Layer.Conv2d(6, 1, name: "first"),
            Layer.Residual(Layer.Conv2d(6, 1, bias: false, name: "second"), Layer.BatchNorm())).Initialize(3);
        Inverted(images.With("bn1.weight", [1, -2, 0.5f, 3, 1, 0.1f]).With("bn1.variance", [1, 4, 0.1f, 2, 9, 1]).With("bn1.mean", [0, 1, -1, 0, 3, 1]),
            [0, 3, 9, 14, 20]);
    }

    [TestMethod]
    public void A_chain_loses_less_with_it()
    {
        foreach (var (granularity, share) in new[] { (Granularity.Neuron, 0.6), (Granularity.Weight, 0.85) })
        {
            double After(Recovery? recovery) => Run(new() { Amount = Amount.Fraction(share), Granularity = granularity, Recovery = recovery, FineTuneEpochs = 0,
                Schedule = Schedule.Linear(2) }).GetReport<PruningReport>().Steps[^1].Validation!.Metric;
            Assert.IsGreaterThan(After(Recovery.None) + 0.02, After(Recovery.Reconstruct()), granularity.ToString());
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

    private static void Inverted(Network network, int[] dropped)
    {
        var positions = network.Input.Shape.Skip(2).Aggregate(1, (a, b) => a * b);
        var masked = network.WithMask("first.weight", new WeightMask([.. Enumerable.Range(0, 36).Select(i => !dropped.Contains(i))]))
            .WithMask("second.weight", new WeightMask([.. Enumerable.Range(0, 36).Select(i => i != 5)]));
        var recovered = Recovery.Reconstruct(damping: 1e-9).Recover(new(network.Unpruned(), masked, null,
            RecoveryCase.Data(RecoveryCase.Rows(100, 6 * positions, 1))));
        Assert.AreEqual(0, recovered.Network["second.weight"].Values[5]);
        var other = RecoveryCase.Rows(20, 6 * positions, 2);
        float[] Whole(Network one) => [.. RecoveryCase.Outputs(one, other).Where((_, i) => i / positions % 6 > 0)];
        Assert.IsGreaterThan(0.1, RecoveryCase.Distance(Whole(network), Whole(masked.Network)), "there is something to make up for");
        Close.AreEqual(Whole(network), Whole(recovered.Network), 1e-3, "sums");
    }

    /// <summary>A layer of one unit, rows to fit it on, and the order in which they are visited.</summary>
    private static (Network Network, CalibrationData Data, float[][] Rows, int[] Order) Held(float[][] rows)
    {
        var data = RecoveryCase.Data(rows);
        return (Network.Mlp(10, 1).Initialize(2), data, rows, CalibrationRun.Draw(data.Rows, data.Seed, rows.Length));
    }

    /// <summary>Ridge regression with a shift that nothing holds, by a QR decomposition of the rows with one more for each weight.</summary>
    private static (double[] Weights, double Shift) LeastSquares(IReadOnlyList<double[]> rows, IReadOnlyList<double> values, int[] kept, double damping)
    {
        using var scope = NewDisposeScope();
        var hold = Math.Sqrt(damping * rows.Sum(row => row.Sum(value => value * value)) / rows[0].Length);
        double[][] all = [.. rows.Select(row => kept.Select(i => row[i]).Append(1).ToArray()),
            .. Enumerable.Range(0, kept.Length).Select(i => Enumerable.Range(0, kept.Length + 1).Select(j => i == j ? hold : 0).ToArray())];
        var solution = linalg.lstsq(tensor([.. all.SelectMany(row => row)], [all.Length, kept.Length + 1]),
            tensor([.. values, .. new double[kept.Length]], [all.Length, 1])).Solution.data<double>().ToArray();
        var weights = new double[rows[0].Length];
        for (var i = 0; i < kept.Length; i++)
        {
            weights[kept[i]] = solution[i];
        }

        return (weights, solution[^1]);
    }

    private static NeuralNetworkTransformer Run(PruningOptions options)
    {
        var ml = new MLContext(1);
        var training = Digits.Options(6) with { Seed = 1, ValidationFraction = 0.2 };
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(training)).Append(ml.Transforms.Prune(options))
            .Fit(Digits.Load(ml)).LastTransformer;
    }
}
