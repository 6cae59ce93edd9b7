using System.Globalization;
using System.Xml.Linq;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Compression.Pruning.Importances;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

namespace MLNet.Pruning.Tests.Compression.Pruning.Record;

/// <summary>What a report says of single candidates, of layers, and draws.</summary>
[TestClass]
public class PruningDecisionTests
{
    [TestMethod]
    public void Every_weight_has_its_importance_rank_threshold_and_round()
    {
        var network = Network.Mlp(6, 5, 4).Initialize(1);
        var (pruned, report) = Run(network, new() { Amount = Amount.Fraction(0.6), Schedule = Schedule.Linear(3), FineTuneEpochs = 0 });
        // Without fine-tuning the weights are what they were: rank and round follow from a sort.
        var all = new[] { "fc1.weight", "fc2.weight" }.SelectMany(name =>
            Enumerable.Range(0, network[name].Count).Select(i => (Name: name, Index: i, Score: Math.Abs(network[name].Values[i])))).OrderBy(one => one.Score)
                .ToArray();
        int[] gone = [0, .. Schedule.Linear(3).Sparsities(0, 0.6).Select(share => (int)Math.Round(share * 50))];
        for (var place = 0; place < all.Length; place++)
        {
            var (name, index, score) = all[place];
            var columns = network[name].Shape[1];
            var verdict = report.Decision($"{name}[{index / columns},{index % columns}]");
            var round = Enumerable.Range(1, 3).FirstOrDefault(step => place < gone[step]);
            var last = round == 0 ? 3 : round;
            Assert.AreEqual(new PruningDecision($"{name}[{index / columns},{index % columns}]", round > 0, last, score, place - gone[last - 1] + 1,
                50 - gone[last - 1], all[gone[last] - 1].Score, 1 - (50.0 - gone[last]) / 50), verdict);
            Assert.AreEqual(round == 0, pruned.Masks[name][index]);
        }

        StringAssert.Contains(report.Decision("fc1.weight[0,0]").ToString(), "fc1.weight[0,0] ");
    }

    [TestMethod]
    public void Slices_kernels_blocks_and_patterns_are_named_by_their_indices()
    {
        var network = Network.Sequential([2, 6, 6], Layer.Conv2d(4, 3), Layer.Flatten(), Layer.Dense(6)).Initialize(1);
        float Sum(Func<int, int, bool> chosen) => Enumerable.Range(0, 72).Where(i => chosen(i / 18, i / 9 % 2))
            .Sum(i => Math.Abs(network["conv1.weight"].Values[i]));
        var filters = Run(network, new() { Amount = Amount.Count(1), Granularity = Granularity.Slice(0), Scope = Scope.Layer.Only("conv1") }).Report;
        Assert.AreEqual(Sum((filter, _) => filter == 2), filters.Decision("conv1.weight[2]").Importance, 1e-4);
        Assert.AreEqual("conv1.weight[2]", filters.Decision("conv1.weight[2,1,0,0]").Name, "a weight is part of its filter");
        var channels = Run(network, new() { Amount = Amount.Count(1), Granularity = Granularity.Slice(1), Scope = Scope.Layer.Only("conv1") }).Report;
        Assert.AreEqual(Sum((_, channel) => channel == 1), channels.Decision("conv1.weight[:,1]").Importance, 1e-4);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => channels.Decision("conv1.weight[1]")).Message, "'conv1.weight[:,0]'");
        var kernels = Run(network, new() { Amount = Amount.Count(3), Granularity = Granularity.Kernel }).Report;
        Assert.AreEqual(Sum((filter, channel) => (filter, channel) == (3, 1)), kernels.Decision("conv1.weight[3,1]").Importance, 1e-4);
        Assert.AreEqual(3, Enumerable.Range(0, 8).Count(i => kernels.Decision($"conv1.weight[{i / 2},{i % 2}]").Removed));
        var blocks = Run(network, new() { Amount = Amount.Count(5), Granularity = Granularity.WeightBlock(2, 8), Scope = Scope.Network.Only("fc1") }).Report;
        Assert.AreEqual("fc1.weight[2-3,8-15]", blocks.Decision("fc1.weight[3,9]").Name);
        Assert.AreEqual(Enumerable.Range(0, 16).Sum(i => Math.Abs(network["fc1.weight"].Values[(2 + i / 8) * 64 + 8 + i % 8])),
            blocks.Decision("fc1.weight[3,9]").Importance, 1e-4);
        var (masked, pattern) = Run(network, new() { Granularity = Granularity.NToM(2, 4), Scope = Scope.Layer.Only("fc1") });
        for (var group = 0; group < 6 * 16; group++)
        {
            var sorted = Enumerable.Range(4 * group, 4).OrderBy(i => Math.Abs(network["fc1.weight"].Values[i])).ToArray();
            for (var place = 0; place < 4; place++)
            {
                var verdict = pattern.Decision($"fc1.weight[{sorted[place] / 64},{sorted[place] % 64}]");
                Assert.AreEqual((place < 2, place + 1L, 4L, (double)Math.Abs(network["fc1.weight"].Values[sorted[1]])),
                    (verdict.Removed, verdict.Rank, verdict.Of, verdict.Threshold));
            }
        }
    }

    [TestMethod]
    public void Removed_units_keep_the_numbers_they_had_at_the_start()
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(6, 3), Layer.Relu(), Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(3))
            .Initialize(2);
        // What is worth how much is settled: the number a filter is written into its bias, in an order of our own.
        float[] first = [0.3f, 0.9f, 0.1f, 0.7f, 0.2f, 0.8f], second = [0.5f, 0.4f, 0.6f, 0.95f, 0.15f, 0.85f, 0.25f, 0.75f];
        network = network.With("conv1.bias", first).With("conv2.bias", second);
        var options = new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Filter, Importance = new ByBias(), Normalize = false,
            Alignment = 1, Schedule = Schedule.Custom(0.2, 0.35), FineTuneEpochs = 0 };
        var (pruned, report) = Run(network, options);
        var sorted = first.Select((value, i) => (Name: $"conv1.weight[{i}]", Value: value))
            .Concat(second.Select((value, i) => (Name: $"conv2.weight[{i}]", Value: value))).OrderBy(one => one.Value).ToArray();
        int[] gone = [0, 3, 5, 7];
        for (var place = 0; place < sorted.Length; place++)
        {
            var round = Enumerable.Range(1, 3).FirstOrDefault(step => place < gone[step]);
            var last = round == 0 ? 3 : round;
            var expected = new PruningDecision(sorted[place].Name, round > 0, last, sorted[place].Value, place - gone[last - 1] + 1, 14 - gone[last - 1],
                sorted[gone[last] - 1].Value, gone[last] / 14.0);
            Assert.AreEqual(expected, report.Decision(sorted[place].Name)
                with { Sparsity = Math.Round(report.Decision(sorted[place].Name).Sparsity, 12) } is var verdict
                    && Math.Abs(verdict.Sparsity - expected.Sparsity) < 1e-9 ? verdict with { Sparsity = expected.Sparsity } : verdict);
        }

        Assert.AreEqual(7, pruned.Network["conv1.weight"].Shape[0] + pruned.Network["conv2.weight"].Shape[0]);
        // The bias, the channel that reads it and the number within the layer are the same candidate.
        foreach (var other in new[] { "conv1.bias[2]", "conv2.weight[:,2]", "conv1[2]" })
        {
            Assert.AreEqual(report.Decision("conv1.weight[2]") with { Name = other }, report.Decision(other) with { Name = other });
        }
    }

    [TestMethod]
    public void Blocks_are_named()
    {
        Layer Block(string name) => Layer.Residual(Layer.Dense(4, name: name + "a"), Layer.Relu(), Layer.Dense(4, name: name + "b"));
        var network = Network.Sequential([4], Block("one"), Block("two"), Block("three"), Layer.Dense(2, name: "head")).Initialize(4);
        network = network.With("twoa.weight", new float[16]).With("twob.weight", new float[16]);
        var names = BlockRemoval.Find(network, false).Select(block => block.Name).ToArray();
        var report = Run(network, new() { Amount = Amount.Count(1), Granularity = Granularity.Block }).Report;
        Assert.AreEqual((true, 1, 1L, 3L), (report.Decision(names[1]).Removed, report.Decision(names[1]).Round, report.Decision(names[1]).Rank,
            report.Decision(names[1]).Of));
        Assert.IsFalse(report.Decision(names[0]).Removed);
    }

    [TestMethod]
    public void What_an_earlier_pruning_took_and_a_step_taken_back_are_told_apart()
    {
        var network = Network.Mlp(6, 5, 4).Initialize(1);
        var before = network.Prune(Amount.Count(10));
        var metric = 1.0;
        var options = new PruningOptions { Amount = Amount.Fraction(0.8), Schedule = Schedule.Linear(2), FineTuneEpochs = 0, Tolerance = 0.1 };
        // The second step falls below the tolerance.
        var (pruned, report) = new PruningLoop(options, _ => new ValidationResult((metric -= 0.06) + 0.06, 0, Metric.Accuracy),
            (_, _) => throw new InvalidOperationException(), _ => { }).Run(before, null);
        Assert.IsTrue(report.StoppedEarly);
        for (var i = 0; i < 30; i++)
        {
            var verdict = report.Decision($"fc1.weight[{i / 6},{i % 6}]");
            Assert.AreEqual(!pruned.Masks["fc1.weight"][i], verdict.Removed);
            Assert.AreEqual(!before.Masks["fc1.weight"][i] ? 0 : verdict.Removed ? 1 : 2, verdict.Round);
        }
    }

    [TestMethod]
    public void A_layer_whose_turn_did_not_come_says_so()
    {
        var metric = 1.0;
        var options = new PruningOptions { Amount = Amount.Fraction(0.5), Schedule = Schedule.OneShot.BottomUp(), FineTuneEpochs = 0, Tolerance = 0.1 };
        var (_, report) = new PruningLoop(options, _ => new ValidationResult(metric -= 0.2, 0, Metric.Accuracy),
            (_, _) => throw new InvalidOperationException(), _ => { }).Run(Network.Mlp(6, 5, 4).Initialize(1).Unpruned(), null);
        Assert.IsTrue(report.StoppedEarly);
        Assert.AreEqual((false, 1), (report.Decision("fc1.weight[1,1]").Removed, report.Decision("fc1.weight[1,1]").Round));
        Assert.AreEqual((false, 0), (report.Decision("fc2.weight[1,1]").Removed, report.Decision("fc2.weight[1,1]").Round));
        StringAssert.Contains(report.Decision("fc2.weight[1,1]").ToString(), "turn");
        Assert.AreEqual(0, report.Histogram("fc2").Before.Sum());
        Assert.AreEqual(2, Draw(report).Length);
    }

    [TestMethod]
    public void Unknown_names_and_indices_say_which_there_are()
    {
        var report = Run(Network.Mlp(6, 5, 4).Initialize(1), new() { Amount = Amount.Fraction(0.6) }).Report;
        string Message(string candidate) => Assert.ThrowsExactly<ArgumentException>(() => report.Decision(candidate)).Message;
        StringAssert.Contains(Message("fc1.wight[3,4]"), "'fc1.weight'");
        StringAssert.Contains(Message("fc1.weight[5,0]"), "0 to 4; 5 was given");
        StringAssert.Contains(Message("fc1.weight[3]"), "smaller structures");
        StringAssert.Contains(Message("fc1.weight[1,2,3]"), "2 dimensions");
        StringAssert.Contains(Message("fc1.weight[a,2]"), "'fc1.weight[a,2]'");
        StringAssert.Contains(Message("fc1.weight[-1,2]"), "'fc1.weight[-1,2]'");
        StringAssert.Contains(Message("[1]"), "'[1]'");
        StringAssert.Contains(Message("fc1.weight[1,2"), "names no weight or structure");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => report.Histogram("fc3")).Message, "'fc1'");
        var units = Run(Network.Mlp(6, 5, 4).Initialize(1), new() { Amount = Amount.Count(1), Granularity = Granularity.Neuron }).Report;
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => units.Decision("fc1.weight[3,4]")).Message, "'fc1.weight[5]'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => units.Decision("fc1.weight[5]")).Message, "0 to 4");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new PruningReport(null, []).Decision("fc1.weight[5]")).Message, "fc1.weight");
    }

    [TestMethod]
    public void Histograms_count_every_piece_before_and_those_that_stayed()
    {
        var network = Network.Mlp(30, 20, 4).Initialize(1);
        var (pruned, report) = Run(network, new() { Amount = Amount.Fraction(0.5) });
        Assert.AreEqual(2, report.Histograms.Count);
        var histogram = report.Histogram("fc1");
        float[] scores = [.. network["fc1.weight"].Values.ToArray().Select(Math.Abs)];
        Assert.AreEqual((scores.Min(), scores.Max()), ((float)histogram.Edges[0], (float)histogram.Edges[^1]));
        for (var bin = 0; bin < 20; bin++)
        {
            bool Inside(float score) => score >= histogram.Edges[bin] && (score < histogram.Edges[bin + 1] || bin == 19);
            Assert.AreEqual(scores.Count(Inside), histogram.Before[bin]);
            Assert.AreEqual(scores.Where((_, i) => pruned.Masks["fc1.weight"][i]).Count(Inside), histogram.After[bin]);
        }

        var lines = histogram.ToString().Split(Environment.NewLine);
        Assert.AreEqual(21, lines.Length);
        StringAssert.Contains(lines[1], "-");
        Assert.AreEqual(40, lines.Skip(1).Max(line => line.Count("#-".Contains)));
    }

    [TestMethod]
    public void The_map_s_cells_are_the_shares_that_are_left()
    {
        var network = Network.Mlp(100, 20, 4).Initialize(1);
        var (pruned, report) = Run(network, new() { Amount = Amount.Fraction(0.7) });
        var groups = Draw(report);
        CollectionAssert.AreEqual(new[] { "fc1.weight", "fc2.weight" }, groups.Select(group => (string)group.Attribute("id")!).ToArray());
        foreach (var group in groups)
        {
            var mask = pruned.Masks[(string)group.Attribute("id")!];
            var (rows, columns) = (network[(string)group.Attribute("id")!].Shape[0], network[(string)group.Attribute("id")!].Shape[1]);
            var cells = Rectangles(group, "cell");
            Assert.AreEqual(rows * Math.Min(columns, 64), cells.Length);
            for (var i = 0; i < cells.Length; i++)
            {
                var (row, column) = (i / Math.Min(columns, 64), i % Math.Min(columns, 64));
                var weights = Enumerable.Range(0, columns).Where(c => c * Math.Min(columns, 64) / columns == column).Select(c => row * columns + c).ToArray();
                Assert.AreEqual(weights.Average(weight => mask[weight] ? 1.0 : 0), cells[i].TryGetValue("fill-opacity", out var opacity) ? opacity : 1, 1e-3);
                Assert.AreEqual((16.0 + 6 * column, cells[0]["y"] + 6 * row), (cells[i]["x"], cells[i]["y"]));
            }

            Assert.AreEqual((double)mask.Kept / mask.Count, Rectangles(group, "left").Single()["width"] / Rectangles(group, "whole").Single()["width"], 1e-4);
            var histogram = report.Histogram((string)group.Attribute("id")!);
            foreach (var (name, counts) in new[] { ("before", histogram.Before), ("after", histogram.After) })
            {
                CollectionAssert.AreEqual(counts.Select(count => Math.Round((double)count / histogram.Before.Max() * 48, 4)).ToArray(),
                    Rectangles(group, name).Select(bar => bar["height"]).ToArray());
            }
        }

        var units = Run(network, new() { Amount = Amount.Count(8), Granularity = Granularity.Neuron }).Report;
        var strip = Rectangles(Draw(units).Single(), "cell");
        CollectionAssert.AreEqual(Enumerable.Range(0, 20).Select(i => units.Decision($"fc1.weight[{i}]").Removed ? 0.0 : 1).ToArray(),
            strip.Select(cell => cell.GetValueOrDefault("fill-opacity", 1)).ToArray());
    }

    private static XElement[] Draw(PruningReport report)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            report.SaveSvg(path);
            var svg = XDocument.Load(path).Root!;
            Assert.AreEqual("{http://www.w3.org/2000/svg}svg", svg.Name.ToString());
            var (width, height) = ((double)svg.Attribute("width")!, (double)svg.Attribute("height")!);
            foreach (var rectangle in svg.Descendants("{http://www.w3.org/2000/svg}rect"))
            {
                Assert.IsTrue((double)rectangle.Attribute("x")! + (double)rectangle.Attribute("width")! <= width && (double)rectangle.Attribute("y")!
                    + (double)rectangle.Attribute("height")! <= height, "all lies on the page");
            }

            return [.. svg.Elements("{http://www.w3.org/2000/svg}g")];
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Dictionary<string, double>[] Rectangles(XElement group, string kind)
        => [.. group.Elements("{http://www.w3.org/2000/svg}rect").Where(rectangle => (string)rectangle.Attribute("class")! == kind)
        .Select(rectangle => rectangle.Attributes().Where(attribute => attribute.Name.LocalName is not ("class" or "fill"))
            .ToDictionary(attribute => attribute.Name.LocalName, attribute => double.Parse(attribute.Value, CultureInfo.InvariantCulture)))];

    private static (PrunedNetwork Network, PruningReport Report) Run(Network network, PruningOptions options)
        => (network.Prune(options, out var report), report);

    /// <summary>A filter is worth its bias.</summary>
    private sealed class ByBias : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context) => new Biases();

        private sealed class Biases : ImportanceScores
        {
            internal override bool Counts(ParameterAxis axis) => axis.Role == AxisRole.Affine;

            private protected override void Weights(Parameter parameter, int start, Span<float> scores)
                => parameter.Values.Slice(start, scores.Length).CopyTo(scores);
        }
    }
}
