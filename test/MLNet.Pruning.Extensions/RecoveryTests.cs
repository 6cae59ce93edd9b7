using TorchSharp;

namespace MLNet.Pruning.Extensions;

[TestClass]
public class RecoveryTests
{
    [TestMethod]
    public void A_recovery_gives_the_bias_what_dropped_weights_added_on_average()
    {
        const int Units = 3;
        var network = Network.Mlp(Chain.Width, Units, 1).Initialize(7);
        PruningOptions Options(Recovery? recovery) => new() { Amount = Amount.Count(6), Scope = Scope.Network.Only("fc1"), Recovery = recovery };
        var (plain, recovered) = (Chain.Prune(network, Options(null)), Chain.Prune(network, Options(new MeanToBias("fc1"))));
        CollectionAssert.AreEqual(plain.Masks["fc1.weight"].ToArray(), recovered.Masks["fc1.weight"].ToArray());
        for (var unit = 0; unit < Units; unit++)
        {
            var lost = Enumerable.Range(0, Chain.Width).Where(i => !plain.Masks["fc1.weight"][unit * Chain.Width + i])
                .Sum(i => network["fc1.weight"].Values[unit * Chain.Width + i] * Chain.Rows.Average(row => (double)row[i]));
            Assert.AreEqual(network["fc1.bias"].Values[unit] + lost, recovered.Network["fc1.bias"].Values[unit], 1e-6);
            Assert.AreNotEqual(plain.Network["fc1.bias"].Values[unit], recovered.Network["fc1.bias"].Values[unit]);
        }
    }

    [TestMethod]
    public void A_recovery_learns_which_units_were_removed()
    {
        var network = Network.Mlp(Chain.Width, 5, 1).Initialize(7);
        var told = new Told();
        var model = Chain.Prune(network, new()
        {
            Amount = Amount.Count(2), Granularity = Granularity.Neuron, Alignment = 1, Scope = Scope.Network.Only("fc1"),
            Recovery = new MeanToBias("fc1").Then(told),
        });
        var kept = Enumerable.Range(0, 5).Where(unit => model.Network["fc1.weight"].Values.ToArray().Chunk(Chain.Width)
            .Any(row => row.SequenceEqual(network["fc1.weight"].Values.Slice(unit * Chain.Width, Chain.Width).ToArray()))).ToArray();
        Assert.HasCount(3, kept);
        CollectionAssert.AreEqual(kept, told.Kept!.ToArray());
    }

    /// <summary>Shifts the bias of a dense layer by the mean of what it no longer computes.</summary>
    private sealed class MeanToBias(string layer) : Recovery
    {
        public override string ToString() => nameof(MeanToBias);

        protected override PrunedNetwork RecoverCore(RecoveryStep step)
        {
            var (before, after) = (Mean(step, step.Before), Mean(step, step.After));
            var kept = step.KeptIndices($"{layer}.weight", 0);
            var bias = step.After.Network[$"{layer}.bias"].Values.ToArray();
            for (var unit = 0; unit < bias.Length; unit++)
            {
                bias[unit] += (float)(before[kept[unit]] - after[unit]);
            }

            return step.After.With($"{layer}.bias", bias);
        }

        private double[] Mean(RecoveryStep step, PrunedNetwork network)
        {
            using var run = step.Start(ToString(), network, rows: 1000);
            using var noGradients = torch.no_grad();
            var mean = new double[network.Network[$"{layer}.weight"].Shape[0]];
            run.ForEachBatch((rows, _, share) => run.Forward(rows, (node, find) =>
            {
                if (node.Name == layer)
                {
                    var batch = find(node.Outputs[0]).mean([0]).cpu().data<float>().ToArray();
                    for (var unit = 0; unit < mean.Length; unit++)
                    {
                        mean[unit] += share * batch[unit];
                    }
                }
            }));
            return mean;
        }
    }

    /// <summary>Changes nothing, and tells what stayed.</summary>
    private sealed class Told : Recovery
    {
        public IReadOnlyList<int>? Kept { get; private set; }

        protected override PrunedNetwork RecoverCore(RecoveryStep step)
        {
            Kept = step.KeptIndices("fc1.weight", 0);
            return step.After;
        }
    }
}
