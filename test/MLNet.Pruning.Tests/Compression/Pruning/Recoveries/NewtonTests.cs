using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Pruning.Recoveries;
using MLNet.Pruning.Tests.Compression.Automation;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>Newton's method against least squares where the network is linear, and against what it started from where it is not.</summary>
[TestClass]
public class NewtonTests
{
    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    public void Where_all_is_linear_weights_and_biases_are_those_of_least_squares(int layersOn)
    {
        const int Inputs = 5, Units = 3, Outputs = 4, Count = 40;
        var rows = RecoveryCase.Rows(Count, Inputs, 1);
        // Inputs that go along with each other, so that one can make up for another.
        foreach (var row in rows)
        {
            (row[1], row[3]) = (0.7f * row[0] + 0.3f * row[1], 0.6f * row[2] - 0.5f * row[3]);
        }

        var network = Network.Sequential([Inputs], Layer.Dense(Units), Layer.Dense(Outputs)).Initialize(2);
        var mask = new WeightMask([.. Enumerable.Range(0, Units * Inputs).Select(i => i % 3 != 1)]);
        var (masked, data) = (network.WithMask("fc1.weight", mask), RecoveryCase.Data(rows));
        var after = Recovery.Newton(Count, layersOn, ridge: 1e-7, steps: 8).Recover(new(network.Unpruned(), masked, null, data)).Network;

        // A number for each output of each row that is not held back, over the weights that are kept and the biases.
        int[] kept = [.. Enumerable.Range(0, Units * Inputs).Where(i => mask[i])];
        var readers = layersOn == 0 ? null : network["fc2.weight"].Values.ToArray();
        var (design, lacking) = (new List<double[]>(), new List<double>());
        foreach (var row in CalibrationRun.Draw(data.Rows, data.Seed, Count).Where((_, place) => place % 4 < 3).Select(row => rows[row]))
        {
            for (var k = 0; k < (layersOn == 0 ? Units : Outputs); k++)
            {
                double Reads(int unit) => readers is null ? unit == k ? 1 : 0 : readers[k * Units + unit];
                design.Add([.. kept.Select(i => Reads(i / Inputs) * row[i % Inputs]), .. Enumerable.Range(0, Units).Select(Reads)]);
                lacking.Add(Enumerable.Range(0, Units * Inputs).Where(i => !mask[i]).Sum(i => Reads(i / Inputs) * row[i % Inputs]
                    * network["fc1.weight"].Values[i]));
            }
        }

        using var scope = NewDisposeScope();
        var solution = linalg.lstsq(tensor([.. design.SelectMany(one => one)], [design.Count, kept.Length + Units]),
            tensor([.. lacking], [lacking.Count, 1])).Solution.data<double>().ToArray();
        Assert.IsTrue(solution.Any(change => Math.Abs(change) > 0.1), "there is something to make up for");
        for (var i = 0; i < kept.Length; i++)
        {
            Assert.AreEqual(network["fc1.weight"].Values[kept[i]] + solution[i], after["fc1.weight"].Values[kept[i]], 2e-3, $"weight {kept[i]}");
        }

        for (var unit = 0; unit < Units; unit++)
        {
            Assert.AreEqual(network["fc1.bias"].Values[unit] + solution[kept.Length + unit], after["fc1.bias"].Values[unit], 2e-3, $"bias {unit}");
        }

        Assert.IsTrue(Enumerable.Range(0, Units * Inputs).All(i => mask[i] || after["fc1.weight"].Values[i] == 0));
        CollectionAssert.AreEqual(network["fc2.weight"].Values.ToArray(), after["fc2.weight"].Values.ToArray());
    }

    [TestMethod]
    public void A_unit_that_another_stands_for_is_made_up_for_behind_what_is_not_linear()
    {
        // Each is a multiple of another that is left, behind a rectifier, normalisation, pooling and a flatten.
        var dense = Network.Mlp(5, 8, 6, 3).Initialize(3).Tied(["fc1.weight", "fc1.bias"], 4, 1, 2).Tied(["fc2.weight", "fc2.bias"], 3, 5);
        Same(dense, [("fc1", 4), ("fc2", 3)], 5);
        var images = RecoveryCase.Convolutional().Tied(["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias"], 5, 3);
        Same(images, [("conv1", 5)], 200);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(9)]
    public void Around_sums_normalisation_and_pooling_less_of_an_error_is_left(int layersOn)
    {
        var network = Images();
        var rows = RecoveryCase.Rows(160, 72, 1);
        var masked = network.WithMask("second.weight", Mask("second.weight", 2)).WithMask("third.weight", Mask("third.weight", 3))
            .WithMask("head.weight", Mask("head.weight", 2));
        var recovered = Recovery.Newton(160, layersOn).Recover(new(network.Unpruned(), masked, null, RecoveryCase.Data(rows)));
        foreach (var (name, mask) in masked.Masks)
        {
            Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || recovered.Network[name].Values[i] == 0), name);
        }

        var before = RecoveryCase.Outputs(network, rows);
        Assert.IsLessThan(0.8 * RecoveryCase.Distance(before, RecoveryCase.Outputs(masked.Network, rows)),
            RecoveryCase.Distance(before, RecoveryCase.Outputs(recovered.Network, rows)));

        WeightMask Mask(string name, int part) => new([.. Enumerable.Range(0, network[name].Count).Select(i => (i * 7 + i / 5) % part != 0)]);
    }

    [TestMethod]
    public void Filters_that_are_gone_leave_less_of_an_error_at_every_depth()
    {
        var network = Images();
        var (rows, other) = (RecoveryCase.Rows(160, 72, 1), RecoveryCase.Rows(40, 72, 2));
        var removed = network.Remove(network.Groups().Where(group => group.Number % 3 == 0));
        Assert.IsLessThan(network["second.weight"].Shape[0], removed["second.weight"].Shape[0]);
        Assert.IsLessThan(network["first.weight"].Shape[0], removed["first.weight"].Shape[0]);
        var left = RecoveryCase.Distance(RecoveryCase.Outputs(network, other), RecoveryCase.Outputs(removed, other));
        foreach (var layersOn in new[] { 0, 1, 2, 9 })
        {
            var recovered = Recovery.Newton(160, layersOn).Recover(new(network.Unpruned(), removed.Unpruned(), new(), RecoveryCase.Data(rows))).Network;
            Assert.IsLessThan(0.9 * left, RecoveryCase.Distance(RecoveryCase.Outputs(network, other), RecoveryCase.Outputs(recovered, other)), $"{layersOn}");
        }
    }

    [TestMethod]
    public void Layers_whose_units_went_are_compared_where_those_that_stay_are_known()
    {
        var network = Images();
        var removed = network.Remove(network.Groups().Where(group => group.Number % 3 == 0));
        var step = new RecoveryStep(network.Unpruned(), removed.Unpruned(), new(), null);
        Node Layer(string name) => removed.Nodes.Single(node => node.Name == name);
        var within = RegionOutput.Of(step, removed, Layer("second"), 1)!;
        Assert.AreEqual((Layer("third").Outputs[0], 1), (within.Tensor, within.Dimension));
        CollectionAssert.AreEqual(step.KeptIndices("third.weight", 0).ToArray(), within.Units);
        // Behind the flatten nobody knows which number is whose; the logits are all there.
        Assert.AreEqual(new RegionOutput(removed.Logits), RegionOutput.Of(step, removed, Layer("third"), 1));
    }

    [TestMethod]
    public void What_was_kept_of_a_pass_changes_nothing_and_a_second_fit_has_the_same_bits()
    {
        var network = Images();
        var data = RecoveryCase.Data(RecoveryCase.Rows(48, 72, 1));
        var masked = network.WithMask("second.weight", new([.. Enumerable.Range(0, network["second.weight"].Count).Select(i => i % 2 == 0)]));
        var (kept, again, without) = (Fit(long.MaxValue), Fit(long.MaxValue), Fit(0));
        CollectionAssert.AreNotEqual(masked.Network["second.weight"].Values.ToArray(), kept);
        CollectionAssert.AreEqual(kept, again);
        CollectionAssert.AreEqual(kept, without);

        float[] Fit(long mostKept)
        {
            var step = new RecoveryStep(network.Unpruned(), masked, null, data);
            using var run = step.Start("test", step.Before, 48);
            using var fit = new RegionFit(run, 16, masked, ["second.weight"], RegionOutput.Of(step, masked.Network, network.Nodes.Single(
                node => node.Name == "second"), 1)!);
            return fit.Solve(0.01, 3, mostKept)[0].Values.ToArray();
        }
    }

    [TestMethod]
    public void Behind_least_squares_a_chain_loses_less_of_what_it_was_not_fitted_on()
    {
        var fit = Recovery.Reconstruct(1000, damping: null);
        ValidationResult After(Recovery recovery)
        {
            var ml = new MLContext(1);
            return DigitSearch.Chain(ml, validation: 0.3).Append(ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(0.8), Importance = Importance.Wanda(), Scope = Scope.Layer, Recovery = recovery, FineTuneEpochs = 0,
            })).Fit(Digits.Load(ml)).LastTransformer.GetReport<PruningReport>().Steps[^1].Validation!;
        }

        var (none, least, alone, both) = (After(Recovery.None), After(fit), After(Recovery.Newton(1000)), After(fit.Then(Recovery.Newton(1000))));
        Assert.IsLessThan(0.6 * none.Loss, alone.Loss);
        Assert.IsLessThan(0.8 * least.Loss, both.Loss);
        Assert.IsGreaterThan(least.Metric + 0.05, both.Metric);
    }

    [TestMethod]
    public void Rows_that_are_not_finite_are_refused_and_numbers_are_checked_when_set()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Newton(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Newton(layersOn: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Newton(ridge: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Newton(steps: 0));
        var network = Network.Mlp(5, 4, 2).Initialize(2);
        var masked = network.WithMask("fc1.weight", new WeightMask([.. Enumerable.Range(0, 20).Select(i => i % 2 == 0)]));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(()
            => Recovery.Newton().Recover(new(network.Unpruned(), masked, null, null))).Message, "Recovery.Newton");
        var rows = RecoveryCase.Rows(8, 5, 1);
        rows[3][1] = 3e38f;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(()
            => Recovery.Newton(layersOn: 0).Recover(new(network.Unpruned(), masked, null, RecoveryCase.Data(rows)))).Message, "finite");
    }

    /// <summary>Convolutions around a sum, with normalisation and pooling.</summary>
    private static Network Images() => Network.Sequential([2, 6, 6], Layer.Conv2d(6, 3, padding: 1, name: "first"), Layer.BatchNorm(), Layer.Relu(),
        Layer.Residual(Layer.Conv2d(6, 3, padding: 1, bias: false, name: "second"), Layer.BatchNorm(), Layer.Relu(),
            Layer.Conv2d(6, 3, padding: 1, name: "third"), Layer.BatchNorm()), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(3, name: "head"))
        .Initialize(4);

    private static void Same(Network network, (string Layer, int Number)[] gone, int width)
    {
        var removed = network.Remove(network.Groups().Where(group => gone.Contains((group.Layer, group.Number))));
        var recovered = Recovery.Newton(200, layersOn: 1, ridge: 1e-6, steps: 8).Recover(new(network.Unpruned(), removed.Unpruned(), new(),
            RecoveryCase.Data(RecoveryCase.Rows(200, width, 1)))).Network;
        var other = RecoveryCase.Rows(30, width, 2);
        var expected = RecoveryCase.Outputs(network, other);
        var lost = RecoveryCase.Distance(expected, RecoveryCase.Outputs(removed, other));
        Assert.IsGreaterThan(0.1, lost, "there is something to make up for");
        Assert.IsLessThan(0.02 * lost, RecoveryCase.Distance(expected, RecoveryCase.Outputs(recovered, other)));
    }
}
