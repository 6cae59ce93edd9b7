using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>Statistics that are measured anew: those of the network with them, layer by layer.</summary>
[TestClass]
public class RecalibrateTests
{
    [TestMethod]
    public void Normalisations_have_the_statistics_of_what_the_corrected_network_gives_them()
    {
        var rows = RecoveryCase.Rows(60, 200, 1);
        var network = RecoveryCase.Convolutional();
        var removed = network.Remove(network.Groups().Where(group => (group.Layer, group.Number) is ("conv1", 2 or 4)));
        var masked = network.WithMask("conv1.weight", new WeightMask([.. Enumerable.Range(0, network["conv1.weight"].Count).Select(i => i % 3 > 0)]));
        foreach (var after in new[] { removed.Unpruned(), masked })
        {
            var recovered = Recovery.Recalibrate(60).Recover(new(network.Unpruned(), after, new(), RecoveryCase.Data(rows))).Network;
            CollectionAssert.AreEqual(after == masked ? [] : after.Network["bn1.mean"].Values.ToArray(),
                after == masked ? [] : recovered["bn1.mean"].Values.ToArray(), "filters that stay give what they gave");
            foreach (var norm in recovered.Nodes.Where(node => node.Operator == "BatchNormalization" && (after == masked || node.Name != "bn1")))
            {
                var (mean, deviation) = Moments(recovered, norm.Inputs[0], rows);
                Close.AreEqual(mean, recovered[norm.Inputs[3]].Values, 1e-4, norm.Inputs[3]);
                Close.AreEqual(deviation, Array.ConvertAll(recovered[norm.Inputs[4]].Values.ToArray(), MathF.Sqrt), 1e-4, norm.Inputs[4]);
            }
        }
    }

    [TestMethod]
    public void Units_without_normalisation_have_the_moments_that_they_had()
    {
        var rows = RecoveryCase.Rows(60, 8, 1);
        var network = Network.Mlp(8, 12, 10, 3).Initialize(2);
        var masked = network.WithMask("fc2.weight", new WeightMask([.. Enumerable.Range(0, 120).Select(i => i % 5 > 1)]));
        var removed = network.Remove(network.Groups().Where(group => (group.Layer, group.Number) is ("fc1", 2 or 4) or ("fc2", 0)));
        foreach (var (after, layers) in new[] { (masked, new[] { "fc2", "fc3" }), (removed.Unpruned(), ["fc2", "fc3"]) })
        {
            var recovered = Recovery.Recalibrate(60).Recover(new(network.Unpruned(), after, new(), RecoveryCase.Data(rows)));
            foreach (var layer in layers)
            {
                var tensor = network.Nodes.First(node => node.Name == layer).Outputs[0];
                var kept = Enumerable.Range(0, network[layer + ".bias"].Count).Where(unit => after != masked && layer == "fc2" ? unit > 0 : true).ToArray();
                var (was, now) = (Moments(network, tensor, rows), Moments(recovered.Network, tensor, rows));
                Close.AreEqual(Array.ConvertAll(kept, unit => was.Mean[unit]), now.Mean, 1e-4, layer);
                Close.AreEqual(Array.ConvertAll(kept, unit => was.Deviation[unit]), now.Deviation, 1e-4, layer);
                Assert.IsGreaterThan(0.01, RecoveryCase.Distance(Array.ConvertAll(kept, unit => was.Deviation[unit]),
                    Moments(after.Network, tensor, rows).Deviation), "there is something to make up for");
            }

            CollectionAssert.AreEqual(after.Network["fc1.weight"].Values.ToArray(), recovered.Network["fc1.weight"].Values.ToArray(), "it reads what it read");
            Assert.IsTrue(Enumerable.Range(0, after == masked ? 120 : 0).All(i => i % 5 > 1 || recovered.Network["fc2.weight"].Values[i] == 0));
        }
    }

    [TestMethod]
    public void Constant_channels_and_single_rows_leave_finite_numbers()
    {
        // Channel 2 of the first convolution gives its bias alone.
        var network = RecoveryCase.Convolutional();
        var masked = network.WithMask("conv1.weight", new WeightMask([.. Enumerable.Range(0, network["conv1.weight"].Count).Select(i => i / 18 != 2)]));
        foreach (var count in new[] { 20, 1 })
        {
            var rows = RecoveryCase.Rows(count, 200, 1);
            var recovered = Recovery.Recalibrate().Recover(new(network.Unpruned(), masked, null, RecoveryCase.Data(rows))).Network;
            Assert.AreEqual(network["conv1.bias"].Values[2], recovered["bn1.mean"].Values[2], 1e-6);
            Assert.AreEqual(network["bn1.variance"].Values[2], recovered["bn1.variance"].Values[2]);
            Assert.IsTrue(recovered.Parameters.All(parameter => parameter.Values.ToArray().All(float.IsFinite)));
        }

        var wide = Network.Mlp(8, 4, 2).Initialize(1);
        var none = wide.WithMask("fc1.weight", new WeightMask(new bool[32]));
        var made = Recovery.Recalibrate().Recover(new(wide.Unpruned(), none, null, RecoveryCase.Data(RecoveryCase.Rows(3, 8, 1)))).Network;
        Assert.IsTrue(made.Parameters.All(parameter => parameter.Values.ToArray().All(float.IsFinite)));
    }

    [TestMethod]
    public void Rows_unlike_those_of_the_training_are_warned_of()
    {
        var rows = RecoveryCase.Rows(60, 200, 1);
        var network = RecoveryCase.Convolutional();
        var after = network.WithMask("conv1.weight", new WeightMask([.. Enumerable.Range(0, network["conv1.weight"].Count).Select(i => i % 3 > 0)]));
        List<string> Warnings(Network before, float factor)
        {
            var told = new List<string>();
            Recovery.Recalibrate().Recover(new(before.Unpruned(), after, null, RecoveryCase.Data([.. rows.Select(row =>
                Array.ConvertAll(row, value => value * factor))]), told.Add));
            return told;
        }

        // What it would have learned on these rows.
        var trained = network;
        foreach (var norm in network.Nodes.Where(node => node.Operator == "BatchNormalization"))
        {
            var (mean, deviation) = Moments(trained, norm.Inputs[0], rows);
            trained = trained.With(norm.Inputs[3], mean).With(norm.Inputs[4], Array.ConvertAll(deviation, value => value * value));
        }

        Assert.HasCount(0, Warnings(trained, 1));
        var warning = Warnings(trained, 10).First();
        StringAssert.Contains(warning, "'bn1'");
        StringAssert.Contains(warning, trained["bn1.variance"].Values[0].ToString("g3", System.Globalization.CultureInfo.InvariantCulture));
    }

    [TestMethod]
    public void A_chain_does_it_where_nothing_is_trained_and_says_so()
    {
        (Network Network, PruningReport Report) Run(Recovery? recovery, int epochs)
        {
            var ml = new MLContext(1);
            var training = Digits.Options(6) with { Seed = 1, ValidationFraction = 0.2 };
            var step = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(training))
                .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.7), Recovery = recovery, FineTuneEpochs = epochs,
                    FineTuning = new() { Seed = 3 } })).Fit(Digits.Load(ml)).LastTransformer;
            return (step.Network, step.GetReport<PruningReport>());
        }

        var (by, none, named, trained) = (Run(null, 0), Run(Recovery.None, 0), Run(Recovery.Recalibrate(), 0), Run(null, 1));
        Assert.AreEqual("Recalibrate(256)", by.Report.Recovery);
        StringAssert.Contains(by.Report.ToString(), "Recalibrate(256)");
        CollectionAssert.AreEqual(named.Network["fc2.weight"].Values.ToArray(), by.Network["fc2.weight"].Values.ToArray(), "same seed, same bits");
        CollectionAssert.AreNotEqual(none.Network["fc2.weight"].Values.ToArray(), by.Network["fc2.weight"].Values.ToArray());
        Assert.IsGreaterThan(none.Report.Steps[0].Pruned!.Metric, by.Report.Steps[0].Pruned!.Metric);
        Assert.IsNull(none.Report.Recovery);
        Assert.IsNull(trained.Report.Recovery);
        Assert.AreEqual(none.Report.Steps[0].Pruned!.Metric, trained.Report.Steps[0].Pruned!.Metric);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.Recalibrate(0));
    }

    /// <summary>Mean and standard deviation of each channel of a tensor, in double precision.</summary>
    private static (float[] Mean, float[] Deviation) Moments(Network network, string name, float[][] rows)
    {
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network, name);
        var values = graph.Forward(tensor([.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length])).to(ScalarType.Float64).transpose(0, 1).flatten(1);
        float[] Read(Tensor numbers) => numbers.to(ScalarType.Float32).data<float>().ToArray();
        return (Read(values.mean([1])), Read(values.sub(values.mean([1], keepdim: true)).square().mean([1]).sqrt()));
    }

}
