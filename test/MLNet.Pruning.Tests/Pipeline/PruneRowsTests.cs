using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Pruning outside a chain on rows without labels.</summary>
[TestClass]
public class PruneRowsTests
{
    private static readonly PruningOptions s_options = new()
    {
        Amount = Amount.Fraction(0.4), Granularity = Granularity.Neuron, Scope = Scope.Layer, Importance = Importance.Wanda(rows: 1000),
        Recovery = Recovery.Reconstruct(rows: 1000, damping: 0.01),
    };

    [TestMethod]
    public void The_network_is_that_of_a_chain_with_the_same_rows()
    {
        var network = Network.Mlp(6, 20, 12, 2).Initialize(3);
        var random = new Random(1);
        float[][] rows = [.. Enumerable.Range(0, 150).Select(_ => Enumerable.Range(0, 6).Select(_ => random.NextSingle() - 0.5f).ToArray())];
        var pruned = network.Prune(s_options, [.. rows.SelectMany(row => row)], out var report);
        var ml = new MLContext(1);
        var load = ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, Task = LearningTask.Multiclass, ValidationFraction = 0 });
        var chain = load.Append(ml.Transforms.Prune(s_options)).Fit(ml.Data.LoadFromEnumerable(rows.Select((row, i)
            => new Point { Features = row, Label = (uint)(i % 2) }))).LastTransformer;
        Assert.AreEqual((12, 7), (pruned.Network["fc1.weight"].Shape[0], pruned.Network["fc2.weight"].Shape[0]));
        foreach (var parameter in chain.Network.Parameters)
        {
            // The chain runs the rows in another order.
            Close.AreEqual(parameter.Values.ToArray(), pruned.Network[parameter.Name].Values.ToArray(), 1e-4, parameter.Name);
        }

        var expected = chain.GetReport<PruningReport>();
        CollectionAssert.AreEqual(expected.Widths.ToArray(), report.Widths.ToArray());
        Assert.AreEqual(expected.Recovery, report.Recovery);
        Assert.IsNull(report.Steps.Single().Validation);
    }

    [TestMethod]
    public void What_takes_labels_or_rows_that_are_not_there_is_refused()
    {
        var network = Network.Mlp(6, 20, 2).Initialize(3);
        void Refused<T>(PruningOptions options, int values, string why) where T : Exception
            => StringAssert.Contains(Assert.ThrowsExactly<T>(() => network.Prune(options, new float[values], out _)).Message, why);
        Refused<InvalidOperationException>(s_options with { Importance = Importance.Taylor() }, 60, "no labels");
        Refused<ArgumentException>(s_options with { FineTuneEpochs = 1 }, 60, "FineTuneEpochs takes rows with labels");
        Refused<ArgumentException>(s_options with { Metric = Metric.Accuracy }, 60, "Metric takes rows with labels");
        Refused<ArgumentException>(s_options, 0, "no calibration rows");
        Refused<ArgumentException>(s_options, 61, "multiple of the 6 values");
    }

    private sealed class Point
    {
        [Microsoft.ML.Data.VectorType(6)]
        public float[] Features { get; set; } = [];

        [Microsoft.ML.Data.KeyType(2)]
        public uint Label { get; set; }
    }
}
