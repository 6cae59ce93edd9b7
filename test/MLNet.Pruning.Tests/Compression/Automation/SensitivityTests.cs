using System.Globalization;
using System.Xml.Linq;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>One layer pruned at a time, against the same by hand; and what follows for a distribution.</summary>
[TestClass]
public class SensitivityTests
{
    private readonly MLContext _ml = new(1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    public void Each_point_is_the_network_without_the_smallest_weights_of_one_layer()
    {
        var report = Measure(new() { Sparsities = [0.9, 0.5] });
        var dense = DigitSearch.Measure(DigitSearch.Network);
        Assert.AreEqual(dense.Accuracy, report.Before.Metric, 1e-9);
        CollectionAssert.AreEqual(new[] { "fc1", "fc2", "fc3", "fc4" }, report.Layers.Select(layer => layer.Layer).ToArray());
        foreach (var layer in report.Layers)
        {
            var weights = DigitSearch.Network[layer.Parameter].Values.ToArray();
            Assert.AreEqual(weights.Length, layer.Total);
            CollectionAssert.AreEqual(new[] { 0, 0.5, 0.9 }, layer.Points.Select(point => Math.Round(point.Sparsity, 2)).ToArray());
            foreach (var point in layer.Points)
            {
                var threshold = weights.Select(Math.Abs).Order().ElementAt((int)Math.Round(point.Sparsity * weights.Length, MidpointRounding.ToEven));
                var expected = DigitSearch.Measure(DigitSearch.Network
                    .With(layer.Parameter, [.. weights.Select(weight => Math.Abs(weight) < threshold ? 0 : weight)]));
                Assert.AreEqual(expected.Accuracy, point.Validation.Metric, 1e-9, $"{layer.Layer} at {point.Sparsity}");
                Assert.AreEqual(expected.Loss, point.Validation.Loss, 1e-4, $"{layer.Layer} at {point.Sparsity}");
            }
        }
    }

    [TestMethod]
    public void Units_are_removed_one_layer_at_a_time()
    {
        var report = Measure(new() { Sparsities = DigitSearch.Sparsities, Granularity = Granularity.Unit, GroupReduction = GroupImportance.Root,
            Scope = Scope.Network.Except("fc2") });
        CollectionAssert.AreEqual(new[] { "fc1", "fc3" }, report.Layers.Select(layer => layer.Layer).ToArray());
        foreach (var point in report.Layers[1].Points)
        {
            Assert.AreEqual(DigitSearch.Measure(DigitSearch.Masked([16, 12, (long)Math.Round((1 - point.Sparsity) * 10)])).Accuracy, point.Validation.Metric,
                1e-9);
        }
    }

    [TestMethod]
    public void Criteria_from_data_work_and_progress_is_told()
    {
        var told = new List<string>();
        var report = Measure(new() { Sparsities = [0.5], Importance = Importance.Taylor(64), Progress = new Told(layer => told.Add(layer.Layer)) });
        CollectionAssert.AreEqual(report.Layers.Select(layer => layer.Layer).ToArray(), told);
        StringAssert.Contains(report.ToString(), "Taylor(64)");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsExactly<OperationCanceledException>(() => Measure(new() { CancellationToken = cancelled.Token }));
    }

    [TestMethod]
    public void Weights_that_a_criterion_changes_to_make_up_for_others_are_measured_changed()
    {
        // As many rows as there are, so that both see the same.
        var importance = Importance.OptimalBrainSurgeon(10_000);
        var points = Measure(new() { Sparsities = [0.8], Importance = importance, Scope = Scope.Layer.Only("fc1") }).Layers.Single().Points;
        var step = DigitSearch.Chain(_ml).Append(_ml.Transforms.Prune(new PruningOptions
        {
            Amount = Amount.Fraction(0.8), Importance = importance, Scope = Scope.Layer.Only("fc1"), Recovery = Recovery.None,
        })).Fit(Digits.Load(_ml)).LastTransformer;
        Assert.AreEqual(step.GetReport<PruningReport>().Steps[0].Pruned!.Loss, points[1].Validation.Loss, 1e-3);
        Assert.IsLessThan(Measure(new() { Sparsities = [0.8], Scope = Scope.Layer.Only("fc1") }).Layers[0].Points[1].Validation.Loss, points[1].Validation.Loss,
            "it makes up for something");
    }

    [TestMethod]
    public void What_layers_bear_is_the_last_point_before_the_metric_falls_too_far()
    {
        var report = Measure(new());
        foreach (var loss in new[] { 0, 0.01, 0.2 })
        {
            foreach (var layer in report.Layers)
            {
                var tolerated = report.Tolerates(loss)[layer.Parameter];
                Assert.IsTrue(layer.Points.All(point => point.Sparsity > tolerated || report.Before.Metric - point.Validation.Metric <= loss));
                Assert.IsTrue(layer.Points.FirstOrDefault(point => point.Sparsity > tolerated) is not { } next || report.Before.Metric - next.Validation.Metric
                    > loss);
            }
        }

        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => report.Tolerates(-1));
    }

    [TestMethod]
    public void The_table_and_the_picture_show_every_point()
    {
        var report = Measure(new() { Sparsities = [0.5, 0.9] });
        var lines = report.ToString().Split(Environment.NewLine);
        Assert.AreEqual(string.Create(CultureInfo.InvariantCulture,
            $"fc2 192 {report.Before.Metric:0.0000} {report.Layers[1].Points[1].Validation.Metric:0.0000} "
                + $"{report.Layers[1].Points[2].Validation.Metric:0.0000}"),
            string.Join(' ', lines.Single(line => line.StartsWith("fc2")).Split(' ', StringSplitOptions.RemoveEmptyEntries)));

        report.SaveSvg(_path);
        var svg = XDocument.Load(_path).Root!;
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.AreEqual(ns + "svg", svg.Name);
        double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        var curves = svg.Elements(ns + "polyline").ToArray();
        CollectionAssert.AreEqual(report.Layers.Select(layer => layer.Layer).ToArray(), curves.Select(curve => curve.Element(ns + "title")!.Value).ToArray());
        var points = curves.Select(curve => curve.Attribute("points")!.Value.Split(' ')
            .Select(point => point.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray()).ToArray()).ToArray();
        Assert.IsTrue(points.SelectMany(curve => curve).All(point => point[0] >= 0 && point[0] <= box[2] && point[1] >= 0 && point[1] <= box[3]),
            "all within the picture");
        // Linear axes: the same share of the way between two points, the metric upwards.
        var all = report.Layers.SelectMany(layer => layer.Points).ToArray();
        var flat = points.SelectMany(curve => curve).ToArray();
        var (low, high) = (Array.IndexOf(all, all.MinBy(point => point.Validation.Metric)), Array.IndexOf(all, all.MaxBy(point => point.Validation.Metric)));
        Assert.IsLessThan(flat[low][1], flat[high][1]);
        for (var i = 0; i < all.Length; i++)
        {
            var share = (all[i].Validation.Metric - all[low].Validation.Metric) / (all[high].Validation.Metric - all[low].Validation.Metric);
            Assert.AreEqual(flat[low][1] + share * (flat[high][1] - flat[low][1]), flat[i][1], 0.01);
            Assert.AreEqual(flat[0][0] + (flat[1][0] - flat[0][0]) * all[i].Sparsity / all[1].Sparsity, flat[i][0], 0.1);
        }
    }

    [TestMethod]
    public void Names_that_XML_cannot_hold_do_not_break_the_picture()
    {
        var report = Report(s => s);
        report = report with { Layers = [report.Layers[0] with { Layer = "<a&\u0001\ud800\">" }] };
        report.SaveSvg(_path);
        StringAssert.Contains(XDocument.Load(_path).Root!.Value, "<a&??\">");
    }

    [TestMethod]
    public void Models_without_a_network_or_validation_rows_and_odd_settings_are_refused()
    {
        var data = Digits.Load(_ml);
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Compression().Sensitivity(Digits.Prepare(_ml).Fit(data), data));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            _ml.Compression().Sensitivity(DigitSearch.Chain(_ml, validation: 0).Fit(data), data)).Message, "ValidationFraction");
        Assert.ThrowsExactly<ArgumentException>(() => Measure(new() { Granularity = Granularity.NToM(2, 4) }));
        Assert.ThrowsExactly<ArgumentException>(() => Measure(new() { Scope = Scope.Distributed(Distribution.ErdosRenyi) }));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Measure(new() { BatchSize = 0 }));
        Assert.ThrowsExactly<ArgumentException>(() => new SensitivityOptions { Sparsities = [-0.1] });
    }

    [TestMethod]
    public void A_distribution_by_sensitivity_lets_every_layer_raise_the_loss_by_the_same()
    {
        // Losses rise as s, 4 s, 0 up to a half and then 2 (s - 1/2): at a rise of 0.2 the layers bear 0.2, 0.05 and 0.6.
        var network = Network.Mlp(20, 10, 10, 20).Initialize(1);
        var report = Report(s => s, s => 4 * s, s => 2 * Math.Max(0, s - 0.5));
        var masks = network.Prune(Amount.Count(40 + 5 + 120), scope: Scope.Distributed(Distribution.BySensitivity(report))).Masks;
        CollectionAssert.AreEqual(new[] { 160, 95, 80 }, Kept(masks));
        // What costs nothing goes first, and alone: a half of the last.
        CollectionAssert.AreEqual(new[] { 200, 100, 150 }, Kept(network.Prune(Amount.Count(50),
            scope: Scope.Distributed(Distribution.BySensitivity(report))).Masks));
        CollectionAssert.AreEqual(new[] { 200, 100, 100 }, Kept(network.Prune(Amount.Count(100),
            scope: Scope.Distributed(Distribution.BySensitivity(report))).Masks));
        // Beyond 0.9, the greatest sparsity measured, all thin out alike: 20, 10 and 20 are left there, and then half of that.
        CollectionAssert.AreEqual(new[] { 10, 5, 10 }, Kept(network.Prune(Amount.Count(475),
            scope: Scope.Distributed(Distribution.BySensitivity(report))).Masks));
    }

    [TestMethod]
    public void A_distribution_by_sensitivity_is_exact_whatever_was_pruned_and_the_loss_never_falls()
    {
        var random = new Random(4);
        for (var round = 0; round < 40; round++)
        {
            var network = Network.Mlp(20, 10, 10, 20).Initialize(round);
            var report = Report(_ => random.NextDouble() - 0.2, _ => random.NextDouble(), _ => 0);
            var before = network.Prune(Amount.Fraction(random.NextDouble()), Importance.Random(round));
            var drop = random.Next(before.Masks.Values.Sum(mask => mask.Kept) + 1);
            var after = before.Prune(Amount.Count(drop).OfRemaining(), scope: Scope.Distributed(Distribution.BySensitivity(report)));
            Assert.AreEqual(before.Masks.Values.Sum(mask => mask.Kept) - drop, after.Masks.Values.Sum(mask => mask.Kept));
            Assert.IsTrue(after.Masks.All(mask => mask.Value.And(before.Masks[mask.Key]).Kept == mask.Value.Kept), "masks only shrink");
        }
    }

    [TestMethod]
    public void A_measured_distribution_goes_into_a_chain_and_a_layer_that_was_not_measured_is_named()
    {
        var data = Digits.Load(_ml);
        var report = Measure(new() { Scope = Scope.Network.Except("fc4") });
        NeuralNetworkTransformer Prune(Scope scope) => DigitSearch.Chain(_ml)
            .Append(_ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.6), Scope = scope, FineTuneEpochs = 0 })).Fit(data).LastTransformer;
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Prune(Scope.Distributed(Distribution.BySensitivity(report)))).Message, "fc4");
        var (spread, uniform) = (Prune(Scope.Distributed(Distribution.BySensitivity(report)).Except("fc4")), Prune(Scope.Layer.Except("fc4")));
        Assert.AreEqual(1336 - Math.Round(0.6 * 1336), spread.Masks.Values.Sum(mask => mask.Kept));
        // No other spread of as many weights has a smaller largest rise by one layer alone.
        double Largest(NeuralNetworkTransformer step) => step.Masks.Keys
            .Max(name => DigitSearch.Measure(DigitSearch.Network.With(name, step.Network[name].Values)).Loss);
        Assert.IsLessThan(Largest(uniform), Largest(spread));
    }

    private SensitivityReport Measure(SensitivityOptions options)
    {
        var data = Digits.Load(_ml);
        return _ml.Compression().Sensitivity(DigitSearch.Chain(_ml).Append(_ml.Transforms.Conversion.MapKeyToValue("Answer", "PredictedLabel")).Fit(data), data,
            options);
    }

    private static int[] Kept(IReadOnlyDictionary<string, WeightMask> masks) => [masks["fc1.weight"].Kept, masks["fc2.weight"].Kept, masks["fc3.weight"].Kept];

    /// <summary>A report of rises by formula, at 0, 0.1, ..., 0.9.</summary>
    private static SensitivityReport Report(params Func<double, double>[] rises)
        => new(new(1, 1, Metric.Accuracy), "weight", "", [.. rises.Select((rise, i) => new LayerSensitivity($"fc{i + 1}", $"fc{i + 1}.weight", 0,
        [.. Enumerable.Range(0, 10).Select(tenth => tenth / 10.0)
            .Select(s => new SensitivityPoint(s, s, new(1, s == 0 ? 1 : 1 + rise(s), Metric.Accuracy)))]))]);

    private sealed class Told(Action<LayerSensitivity> tell) : IProgress<LayerSensitivity>
    {
        public void Report(LayerSensitivity value) => tell(value);
    }
}
