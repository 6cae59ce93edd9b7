using MLNet.Pruning.Evaluation.Diagnosis;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Evaluation.Diagnosis;

/// <summary>
/// Every finding on a network that was built to have it, and not on its twin that has not. Not beside other tests, which would take time from it.
/// </summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
[DoNotParallelize]
public class DiagnosisTests
{
    private static readonly MLContext s_ml = new(1);

    /// <summary>Enough convolution that nothing else matters: each weight is used at a thousand positions.</summary>
    private static readonly Network s_healthy = Images(32, Layer.Relu()).Initialize(1);

    /// <summary>However little it takes.</summary>
    private static readonly DiagnosisOptions s_fusion = new() { Threads = 1, MinimumShare = 0, Kinds = [FindingKind.UnfusedOperators] };

    private static readonly Network s_dense = Network.Mlp(512, 512, 512, 10).Initialize(1);

    [TestMethod]
    public void A_network_in_whose_way_nothing_stands_says_so()
    {
        var report = s_ml.Compression().Diagnose(s_healthy, new DiagnosisOptions
        {
            // On how many threads it is fastest is the machine's matter.
            Kinds = [.. Enum.GetValues<FindingKind>().Where(kind => kind != FindingKind.Threads)],
        });
        Assert.IsEmpty(report.Findings, report.ToString());
        StringAssert.Contains(report.ToString(), "nothing stands in the way");
        Assert.IsEmpty(report.RemovableUnits);
        Assert.AreEqual(1, report.Layers.Sum(layer => layer.Share) + report.BetweenNodes, 1e-9);
        Assert.AreEqual("c2", report.Layers[0].Name);
    }

    [TestMethod]
    public void Zeros_cost_their_part_of_the_time_of_their_layer()
    {
        // Every filter has a bias and is read: none can go as a whole.
        var pruned = s_healthy.With("c1.bias", [.. Enumerable.Repeat(1f, 32)]).Prune(Amount.Fraction(0.75), scope: Scope.Layer.Except("fc")).Network;
        var report = Look(pruned, FindingKind.ZerosMultiplied, FindingKind.DeadWeights);
        var finding = Single(report, FindingKind.ZerosMultiplied);
        foreach (var place in finding.Places)
        {
            var weight = pruned[place.Name + ".weight"].Values;
            Assert.AreEqual(report.Layers.Single(layer => layer.Name == place.Name).Share * weight.Count(0f) / weight.Length, place.Share, 1e-9);
        }

        Assert.AreEqual(finding.Places.Sum(place => place.Share), finding.Share, 1e-9);
        Assert.IsGreaterThan(0.5, finding.Share);
        StringAssert.Contains(finding.Command!, "prune model.onnx");
    }

    [TestMethod]
    public void Weights_that_read_what_no_row_changes_are_dead()
    {
        // Half of the units are their bias, whatever the row: weights on them are multiplied for nothing, but cannot go without a change of the bias.
        var weight = s_dense["fc1.weight"].Values.ToArray();
        weight.AsSpan(0, weight.Length / 2).Clear();
        var constant = s_dense.With("fc1.weight", weight).With("fc1.bias", [.. Enumerable.Repeat(1f, 512)]);
        var report = Look(constant, FindingKind.DeadWeights);
        var finding = Single(report, FindingKind.DeadWeights);
        Assert.AreEqual("fc2", finding.Places[0].Name);
        Assert.AreEqual(report.Layers.Single(layer => layer.Name == "fc2").Share / 2, finding.Share, 1e-9);
        Assert.IsEmpty(Look(s_dense, FindingKind.DeadWeights).Findings);
    }

    [TestMethod]
    public void Widths_that_fall_out_of_the_blocked_layout_are_found_by_timing_what_would_not()
    {
        var aligned = Look(s_healthy, FindingKind.UnalignedWidths);
        if (!aligned.Layers.Any(layer => layer.Operators.Any(name => name.EndsWith("NCHWc", StringComparison.Ordinal))))
        {
            Assert.Inconclusive("ONNX Runtime has no blocked layout on this processor.");
        }

        Assert.IsEmpty(aligned.Findings);
        var report = Look(Images(31, Layer.Relu()).Initialize(1), FindingKind.UnalignedWidths);
        var finding = Single(report, FindingKind.UnalignedWidths);
        Assert.AreEqual("c2", finding.Places[0].Name);
        Assert.IsLessThan(report.Layers.Single(layer => layer.Name == "c2").Share, finding.Places[0].Share);
        StringAssert.Contains(finding.Why, "31 x 31 instead of 32 x 32");
    }

    [TestMethod]
    public void Dense_layers_of_one_row_wait_for_their_weights_and_of_many_do_not()
    {
        var finding = Single(Look(s_dense, FindingKind.MemoryBound), FindingKind.MemoryBound);
        CollectionAssert.IsSubsetOf(finding.Places.Select(place => place.Name).ToArray(), new[] { "fc1", "fc2" });
        Assert.IsEmpty(Look(s_dense, new DiagnosisOptions { BatchSize = 32, Threads = 1, Kinds = [FindingKind.MemoryBound] }).Findings);
        Assert.IsEmpty(Look(s_healthy, FindingKind.MemoryBound).Findings);
    }

    [TestMethod]
    public void Normalisation_that_no_layer_takes_in_is_an_operator_of_its_own()
    {
        var between = Images(32, Layer.Relu(), Layer.BatchNorm(name: "norm")).Initialize(1);
        var behind = Single(Look(between, s_fusion), FindingKind.UnfusedOperators);
        Assert.AreEqual("norm", behind.Places.Single().Name);
        StringAssert.Contains(behind.Why, "(Relu)");
        Assert.IsNull(behind.Command);
        Assert.IsEmpty(Look(Images(32, Layer.BatchNorm(), Layer.Relu()).Initialize(1), s_fusion).Findings);

        // ONNX Runtime does not take it into a dense layer, and the library does.
        var dense = Network.Sequential([32], Layer.Dense(64), Layer.BatchNorm(), Layer.Relu(), Layer.Dense(8)).Initialize(1);
        StringAssert.Contains(Single(Look(dense, s_fusion), FindingKind.UnfusedOperators).Advice, "FoldBatchNorm");
        Assert.IsEmpty(Look(dense.FoldBatchNorm(), s_fusion).Findings);
    }

    [TestMethod]
    public void What_moves_values_between_a_layer_and_its_activation_keeps_them_apart()
    {
        Network Built(params Layer[] end) => Network.Sequential([3, 24, 24], [Layer.Conv2d(16, 3, name: "c1"), .. end]).Initialize(1);
        var finding = Single(Look(Built(Layer.Flatten(name: "flat"), Layer.Relu(name: "active")), s_fusion), FindingKind.UnfusedOperators);
        CollectionAssert.AreEquivalent(new[] { "flat", "active" }, finding.Places.Select(place => place.Name).ToArray());
        Assert.IsEmpty(Look(Built(Layer.Relu(), Layer.Flatten()), s_fusion).Findings);
    }

    [TestMethod]
    public void Integers_that_are_computed_as_floats_are_told_from_those_that_are_not()
    {
        var finding = Single(Look(s_dense.Quantize(Quantizer.Weights(8)), FindingKind.UnfusedIntegers), FindingKind.UnfusedIntegers);
        CollectionAssert.IsSubsetOf(new[] { "fc1", "fc2" }, finding.Places.Select(place => place.Name).ToArray());
        Assert.IsGreaterThan(0.5, finding.Share);
        Assert.IsEmpty(Look(s_dense.Quantize(Quantizer.DynamicInt8()), FindingKind.UnfusedIntegers).Findings);
        Assert.IsEmpty(Look(s_dense, FindingKind.UnfusedIntegers).Findings);
    }

    [TestMethod]
    public void Larger_batches_gain_where_weights_are_read_once_for_all()
    {
        Assert.IsGreaterThan(0.2, Single(Look(s_dense, FindingKind.BatchSize), FindingKind.BatchSize).Share);
        Assert.IsEmpty(Look(s_healthy, FindingKind.BatchSize).Findings);
    }

    [TestMethod]
    [DataRow(4.0, 1.0, 4, "takes 25 % of the time on 4 threads: its layers")]
    [DataRow(1.0, 4.0, 1, "takes 25 % of the time on 1 thread: handing out")]
    [DataRow(1.0, 0.9, 4, null)]
    public void Another_number_of_threads_is_reported_where_it_gains(double one, double four, int best, string? expected)
    {
        (int Batch, int Threads)[] tried = best == 4 ? [(1, 1), (1, 4)] : [(1, 4), (1, 1)];
        double[][] times = best == 4 ? [[one, one, one], [four, four, four]] : [[four, four, four], [one, one, one]];
        var found = new RunSettings(tried, new TurnTimes(times)).Find().ToArray();
        Assert.HasCount(expected is null ? 0 : 1, found);
        if (expected is not null)
        {
            Assert.AreEqual((FindingKind.Threads, 0.75), (found[0].Kind, found[0].Share));
            StringAssert.Contains(found[0].Why, expected);
        }
    }

    [TestMethod]
    public void A_small_network_spends_its_time_between_its_nodes()
    {
        var report = Look(Network.Mlp(4, 8, 8, 3).Initialize(1), FindingKind.BetweenNodes);
        Assert.AreEqual(report.BetweenNodes, Single(report, FindingKind.BetweenNodes).Share, 1e-9);
        Assert.AreEqual(1 - report.Layers.Sum(layer => layer.Share), report.BetweenNodes, 1e-9);
        Assert.IsEmpty(Look(s_healthy, FindingKind.BetweenNodes).Findings);
    }

    [TestMethod]
    public void Stored_zeros_and_few_values_cost_what_files_without_them_do_not()
    {
        using var stream = new MemoryStream();
        var zeros = s_dense.Prune(Amount.Fraction(0.9)).Network;
        zeros.SaveOnnx(stream);
        var dense = stream.Length;
        stream.SetLength(0);
        zeros.SaveOnnx(stream, sparse: true);
        var report = Look(zeros, FindingKind.ZerosStored, FindingKind.FewValues);
        Assert.AreEqual(dense, report.Bytes);
        Assert.AreEqual(1 - (double)stream.Length / dense, Single(report, FindingKind.ZerosStored).Share, 1e-9);
        Assert.HasCount(1, report.Findings);

        // Sixteen values: four bits each, and the list of them.
        var rounded = s_dense.WithParameters(s_dense.Parameters.Where(parameter => parameter.Shape.Length == 2).Select(parameter
            => parameter.WithValues([.. parameter.Values.ToArray().Select((_, i) => (i * 7 % 16) + 1f)])));
        var few = Single(Look(rounded, FindingKind.ZerosStored, FindingKind.FewValues), FindingKind.FewValues);
        Assert.AreEqual(new[] { 512 * 512, 512 * 512, 512 * 10 }.Sum(count => count * 3.5 - 64) / dense, few.Share, 1e-3);
        Assert.IsEmpty(Look(s_dense, FindingKind.ZerosStored, FindingKind.FewValues).Findings);
    }

    [TestMethod]
    public void The_text_has_each_share_and_what_to_do_in_lines_of_eighty_characters()
    {
        var report = Look(s_dense.Prune(Amount.Fraction(0.9)).Network, FindingKind.ZerosMultiplied, FindingKind.ZerosStored, FindingKind.BatchSize);
        var text = report.ToString();
        Assert.IsLessThanOrEqualTo(80, text.Split(Environment.NewLine).Max(line => line.Length), text);
        var words = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        foreach (var finding in report.Findings)
        {
            StringAssert.Contains(words, finding.Why);
            StringAssert.Contains(words, finding.Advice);
            StringAssert.Contains(words, finding.Share.ToString("P0", System.Globalization.CultureInfo.InvariantCulture));
        }

        CollectionAssert.AreEqual(report.Findings.OrderByDescending(finding => finding.Share).ToArray(), report.Findings.ToArray());
    }

    [TestMethod]
    public void What_cannot_be_diagnosed_says_why()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => s_ml.Compression().Diagnose(Network.Mlp(3, 2))).Message, "Initialize");
        var open = Network.FromOnnx(Case.File("posemb_slice"));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => s_ml.Compression().Diagnose(open)).Message, "--size");
        var trees = s_ml.Transforms.CopyColumns("a", "b").Fit(s_ml.Data.LoadFromEnumerable([new { b = 1f }]));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => s_ml.Compression().Diagnose(trees)).Message, "no neural network");
        Assert.ThrowsExactly<OperationCanceledException>(() => Look(s_healthy, new DiagnosisOptions { CancellationToken = new(canceled: true) }));
    }

    /// <summary>Two convolutions, the second with nearly all of the work, and something behind the first.</summary>
    private static Network Images(int width, params Layer[] between) => Network.Sequential([3, 32, 32],
        [Layer.Conv2d(width, 3, padding: 1, name: "c1"), .. between, Layer.Conv2d(width, 3, padding: 1, name: "c2"), Layer.Relu(),
            Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(10, name: "fc")]);

    private static DiagnosisReport Look(Network network, params FindingKind[] kinds) => Look(network, new DiagnosisOptions { Threads = 1, Kinds = kinds });

    private static DiagnosisReport Look(Network network, DiagnosisOptions options) => s_ml.Compression().Diagnose(network, options);

    private static DiagnosisFinding Single(DiagnosisReport report, FindingKind kind)
    {
        Assert.HasCount(1, report.Findings.Where(finding => finding.Kind == kind), report.ToString());
        return report.Findings.Single(finding => finding.Kind == kind);
    }
}
