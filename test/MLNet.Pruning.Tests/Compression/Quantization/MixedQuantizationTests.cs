using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Pipeline;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Layers each in a form of their own, as a budget asks for.</summary>
[TestClass]
public class MixedQuantizationTests
{
    private static readonly Quantizer[] s_candidates = [Quantizer.Weights(8), Quantizer.Weights(4), Quantizer.Weights(2)];

    /// <summary>What a wrong value of each weight counts, so that layers differ.</summary>
    private static readonly Dictionary<string, double> s_counts = new() { ["fc1.weight"] = 1, ["fc2.weight"] = 40, ["fc3.weight"] = 5 };

    private readonly Network _network = Network.Mlp(40, 60, 50, 10).Initialize(3);

    [TestMethod]
    [DataRow(0.2)]
    [DataRow(0.3)]
    [DataRow(0.5)]
    [DataRow(0.8)]
    public void No_other_mixture_of_as_few_bytes_loses_less(double share)
    {
        var most = (long)(share * Bytes(_network));
        var step = Step();
        var found = Quantizer.Mixed(Budget.Bytes(most), s_candidates).Run(_network, step);
        Assert.IsLessThanOrEqualTo(most, Bytes(found));
        Assert.HasCount(3, step.Chosen);
        Quantizer?[] forms = [null, .. s_candidates];
        foreach (var mixture in from first in forms from second in forms from third in forms select new[] { first, second, third })
        {
            var other = mixture.Zip(s_counts.Keys).Aggregate(_network, (network, layer) => layer.First is null ? network
                : network.With(layer.Second, _network.Quantize(layer.First)[layer.Second].Values));
            // As they are stored, each by itself.
            var bytes = Bytes(_network) - mixture.Select((form, i) => form is null ? 0
                : Bytes(_network) - Bytes(Alone(form, $"fc{i + 1}"))).Sum();
            Assert.IsTrue(bytes > Bytes(found) || Loss(other) >= Loss(found) - 1e-9, string.Join(", ", mixture.Select(form => form?.ToString() ?? "floats")));
        }
    }

    [TestMethod]
    public void Of_a_loss_that_is_allowed_the_smallest_file_is_found()
    {
        var small = Quantizer.Mixed(Budget.MetricLoss(0.5), s_candidates).Run(_network, Step());
        var smaller = Quantizer.Mixed(Budget.MetricLoss(4), s_candidates).Run(_network, Step());
        Assert.IsLessThanOrEqualTo(0.5, Loss(small));
        Assert.IsLessThanOrEqualTo(4, Loss(smaller));
        Assert.IsLessThan(Bytes(small), Bytes(smaller));
        Assert.IsLessThan(Bytes(_network), Bytes(small));
    }

    [TestMethod]
    public void What_cannot_be_kept_to_says_by_how_much()
    {
        var bytes = Assert.ThrowsExactly<UnreachableBudgetException>(() => Quantizer.Mixed(Budget.Bytes(100), s_candidates).Run(_network, Step()));
        Assert.AreEqual(Bytes(_network.Quantize(Quantizer.Weights(2))) - 100, bytes.Missing);
        var loss = Assert.ThrowsExactly<UnreachableBudgetException>(()
            => Quantizer.Mixed(Budget.Bytes((long)(0.2 * Bytes(_network))) + Budget.MetricLoss(0.001), s_candidates).Run(_network, Step()));
        Assert.AreEqual("MetricLoss(0.001)", loss.Limit);
        Assert.ThrowsExactly<ArgumentException>(() => Quantizer.Mixed(Budget.Parameters(5)));
        Assert.ThrowsExactly<ArgumentException>(() => Quantizer.Mixed(Budget.Bytes(5), []));
        Assert.ThrowsExactly<ArgumentException>(() => Quantizer.Mixed(Budget.Bytes(5), [Quantizer.Mixed(Budget.Bytes(5))]));
        Assert.ThrowsExactly<InvalidOperationException>(() => _network.Quantize(Quantizer.Mixed(Budget.Bytes(5000))));
    }

    [TestMethod]
    public void In_a_chain_it_is_measured_as_it_is_scored_and_the_report_says_what_each_layer_became()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var trained = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Network = Network.Mlp(64, 48, 32, 10), Epochs = 8,
            LearningRate = 3e-3, ValidationFraction = 0.2 })).Fit(data);
        var last = ml.Transforms.AutoQuantize(Budget.MetricLoss(0.01)).Fit(trained.Transform(data));
        var report = last.GetReport<QuantizationReport>();
        Assert.IsLessThanOrEqualTo(0.01 + 1e-9, report.Before!.Metric - report.After!.Metric);
        Assert.IsLessThan(0.5, (double)report.BytesAfter / report.BytesBefore);
        CollectionAssert.AreEquivalent(new[] { "fc1", "fc2", "fc3" }, report.Layers.Keys.ToArray());
        StringAssert.Contains(report.ToString(), "fc2: Weights(");
        // Time: what floats keep to already stays.
        var slow = ml.Transforms.AutoQuantize(Budget.Latency(1e6)).Fit(trained.Transform(data)).GetReport<QuantizationReport>();
        Assert.IsTrue(slow.Layers.Values.All(form => form == "floats"));
        var timed = Assert.ThrowsExactly<UnreachableBudgetException>(()
            => ml.Transforms.AutoQuantize(Budget.LatencyFraction(1e-6)).Fit(trained.Transform(data)));
        Assert.IsGreaterThan(0, timed.Missing);
        var same = ml.Transforms.AutoQuantize(Budget.MetricLoss(0.01)).Fit(trained.Transform(data));
        Assert.AreEqual(report.ToString(), same.GetReport<QuantizationReport>().ToString());
    }

    private QuantizationStep Step() => new() { Measure = network => new(-Loss(network), Loss(network), Metric.RSquared) };

    /// <summary>The squared error of each weight, as much as it counts.</summary>
    private double Loss(Network network) => s_counts.Sum(weight =>
        weight.Value * network[weight.Key].Values.ToArray().Zip(_network[weight.Key].Values.ToArray(),
        (one, other) => (double)(one - other) * (one - other)).Sum());

    private Network Alone(Quantizer form, string layer) => form.Run(_network, new QuantizationStep { Only = new HashSet<string> { layer } });

    private static long Bytes(Network network) => OnnxWriter.Write(network).CalculateSize();
}
