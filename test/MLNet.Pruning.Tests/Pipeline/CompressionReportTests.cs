using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What a chain did, as a page and as a model card.</summary>
[TestClass]
public class CompressionReportTests
{
    private const int MostBytes = 500_000;
    private static readonly MLContext s_ml = new(1);

    private static readonly Lazy<(TransformerChain<NeuralNetworkTransformer> Model, IDataView Data)> s_chain = new(() =>
    {
        var data = Digits.Load(s_ml);
        return (Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(new() { Epochs = 6, LearningRate = 3e-3,
            ValidationFraction = 0.2, Seed = 11, Network = Network.Mlp(64, 64, 32, 10) }))
            .Append(s_ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.6), Granularity = Granularity.Neuron, FineTuneEpochs = 2 }))
            .Append(s_ml.Transforms.Quantize()).Fit(data), data);
    });

    [TestMethod]
    public void A_chain_is_told_in_figures_that_its_networks_have()
    {
        var (model, _) = s_chain.Value;
        var report = s_ml.Compression().Report(model);
        NeuralNetworkTransformer[] steps = [.. model.OfType<NeuralNetworkTransformer>()];
        Assert.HasCount(3, report.Steps);
        for (var i = 0; i < 3; i++)
        {
            using MemoryStream file = new(), sparse = new();
            steps[i].Network.SaveOnnx(file);
            steps[i].Network.SaveOnnx(sparse, sparse: true);
            var bytes = Math.Min(file.Length, sparse.Length);
            Assert.AreEqual(bytes, report.Steps[i].Bytes);
            Assert.AreEqual(steps[i].Network.ParameterCount, report.Steps[i].Cost.Total.Parameters);
            Assert.IsGreaterThan(0, report.Steps[i].Milliseconds!.Value);
            StringAssert.Contains(report.ToString(), bytes.ToString("N0", CultureInfo.InvariantCulture));
        }

        var page = Page(report);
        foreach (var text in new[] { "In figures", "Layers before and after", "What went, and why", "Bytes by encoding", "Settings that repeat it" })
        {
            Assert.IsNotNull(page.Descendants("h2").SingleOrDefault(heading => heading.Value == text), text);
        }

        var layers = Rows(page, "Layers before and after");
        Assert.AreEqual((64 * 64 + 64).ToString("N0", CultureInfo.InvariantCulture), layers["fc1"][2]);
        var left = steps[1].Network["fc1.weight"].Shape[0];
        Assert.AreEqual((64 * left + left).ToString("N0", CultureInfo.InvariantCulture), layers["fc1"][3]);
        var went = Rows(page, "What went, and why");
        Assert.AreEqual($"{left}", went["fc1.weight"][2]);
        StringAssert.Contains(went["fc1.weight"][4], "importance of at most");
    }

    [TestMethod]
    public void The_page_needs_nothing_else_and_has_a_form_for_dark_screens_and_print()
    {
        var bytes = Html(s_ml.Compression().Report(s_chain.Value.Model));
        Assert.IsLessThan(MostBytes, bytes.Length);
        var text = Encoding.UTF8.GetString(bytes);
        StringAssert.StartsWith(text, "<!DOCTYPE html");
        StringAssert.Contains(text, "prefers-color-scheme: dark");
        StringAssert.Contains(text, "@media print");
        var page = XDocument.Parse(text);
        Assert.IsEmpty(page.Descendants().Where(element => element.Name.LocalName is "script" or "link" or "img" or "iframe"));
        Assert.IsEmpty(page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href" && !attribute.Value.StartsWith('#')));
        Assert.DoesNotContain("@import", text);
        Assert.DoesNotContain("url(", text);
        // HTML takes <div/> for a beginning.
        Assert.IsEmpty(page.Descendants().Where(element => element.IsEmpty && element.Name.NamespaceName.Length == 0 && element.Name.LocalName != "meta"));
        Assert.IsGreaterThanOrEqualTo(4, page.Descendants(XName.Get("svg", "http://www.w3.org/2000/svg")).Count());
        Assert.IsEmpty(page.Descendants("a").Where(link => page.Descendants()
            .All(element => $"#{(string?)element.Attribute("id")}" != (string?)link.Attribute("href"))));
    }

    [TestMethod]
    public void The_settings_that_it_tells_repeat_the_training_to_the_bit()
    {
        var (model, data) = s_chain.Value;
        var trained = model.OfType<NeuralNetworkTransformer>().First();
        var settings = trained.Report!.Settings;
        Assert.AreEqual("11", settings["Seed"]);
        Assert.AreEqual("6", settings["Epochs"]);
        Assert.AreEqual("0.003", settings["LearningRate"]);
        Assert.DoesNotContain("BatchSize", settings.Keys);
        var drawn = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions { Epochs = 1,
            Network = Network.Mlp(64, 8, 10) })).Fit(data).LastTransformer;
        var again = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions { Epochs = 1,
            Network = Network.Mlp(64, 8, 10), Seed = int.Parse(drawn.Report!.Settings["Seed"], CultureInfo.InvariantCulture) })).Fit(data).LastTransformer;
        foreach (var parameter in drawn.Network.Parameters)
        {
            Assert.AreSequenceEqual(parameter.Values.ToArray(), again.Network[parameter.Name].Values.ToArray());
        }

        var pruning = model.OfType<NeuralNetworkTransformer>().ElementAt(1).Report!.Settings;
        Assert.AreEqual("Fraction(0.6)", pruning["Amount"]);
        Assert.AreEqual("Neuron", pruning["Granularity"]);
    }

    [TestMethod]
    public void A_chain_that_is_saved_and_loaded_is_told_as_before()
    {
        var (model, data) = s_chain.Value;
        using var file = new MemoryStream();
        s_ml.Compression().Save(model, data.Schema, file);
        file.Position = 0;
        var options = new CompressionReportOptions { Latency = false, Title = "Digits & <marks>", Description = "Reads digits | of 8 x 8." };
        var loaded = s_ml.Compression().Report(s_ml.Compression().Load(file, out _), options);
        Assert.AreSequenceEqual(Html(s_ml.Compression().Report(model, options)), Html(loaded));
        Assert.AreEqual("Digits & <marks>", Page(loaded).Descendants("h1").Single().Value);
    }

    [TestMethod]
    public void After_an_early_stop_the_accuracy_is_that_of_the_weights_that_were_kept()
    {
        var data = Digits.Load(s_ml);
        // So large a rate that epochs after the best are worse.
        var model = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions { Epochs = 60,
            LearningRate = 0.05, ValidationFraction = 0.2, EarlyStoppingPatience = 3, Seed = 5, Network = Network.Mlp(64, 16, 10) })).Fit(data);
        using var file = new MemoryStream();
        s_ml.Compression().Save(model, data.Schema, file);
        file.Position = 0;
        var epochs = model.LastTransformer.GetReport<TrainingReport>().Epochs;
        Assert.IsLessThan(epochs.Max(epoch => epoch.Validation!.Metric), epochs[^1].Validation!.Metric);
        foreach (var told in new[] { model, s_ml.Compression().Load(file, out _) })
        {
            Assert.AreEqual(epochs.Max(epoch => epoch.Validation!.Metric), s_ml.Compression().Report(told).Steps[0].Validation!.Metric);
        }
    }

    [TestMethod]
    public void A_model_card_has_tables_that_markdown_reads()
    {
        var report = s_ml.Compression().Report(s_chain.Value.Model, new() { Title = "Digits", Description = "Reads digits | of 8 x 8." });
        using var card = new MemoryStream();
        report.SaveMarkdown(card);
        var lines = Encoding.UTF8.GetString(card.ToArray()).Split('\n');
        Assert.AreEqual("# Digits", lines[0]);
        Assert.Contains("## Settings that repeat it", lines);
        for (var i = 1; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('|') && lines[i - 1].StartsWith('|'))
            {
                static int Bars(string line) => line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|');
                Assert.AreEqual(Bars(lines[i - 1]), Bars(lines[i]), lines[i]);
            }
        }
    }

    [TestMethod]
    public void Names_of_layers_that_mean_something_in_html_or_markdown_are_texts()
    {
        var network = Network.FromOnnx(Rename(Network.Mlp(8, 6, 3).Initialize(1), "<script>alert('1')</script>|`a_b`\u0001"));
        var report = s_ml.Compression().Report(network, network.Prune(Amount.Fraction(0.5)).Network, new() { Latency = false });
        var page = Page(report);
        Assert.IsEmpty(page.Descendants("script"));
        Assert.Contains("<script>alert('1')</script>|`a_b`?", page.Descendants("td").Select(cell => cell.Value));
        using var card = new MemoryStream();
        report.SaveMarkdown(card);
        Assert.DoesNotContain("<script>", Encoding.UTF8.GetString(card.ToArray()).Replace("\\<script>", "", StringComparison.Ordinal));
    }

    [TestMethod]
    public void A_network_of_very_many_layers_stays_below_the_limit_and_says_what_was_cut()
    {
        var network = Network.Mlp(4, [.. Enumerable.Repeat(4, 1200), 3]).Initialize(1);
        var report = s_ml.Compression().Report(network, network.Prune(Amount.Fraction(0.5)).Network, new() { Latency = false });
        var bytes = Html(report);
        Assert.IsLessThan(MostBytes, bytes.Length);
        StringAssert.Contains(Encoding.UTF8.GetString(bytes), "The first 200 of 1,201 layers.");
    }

    [TestMethod]
    public void Trees_are_told_too()
    {
        var data = s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 400).Select(i => new Row { Features = [i % 20, i % 7, i % 3], Label = i % 20 + i % 7 }));
        var model = s_ml.Transforms.PruneTrees(s_ml.Regression.Trainers.FastForest(numberOfTrees: 20)).Fit(data);
        var report = s_ml.Compression().Report(model);
        Assert.AreEqual(model.Report.Before.Nodes + model.Report.Before.Leaves, report.Steps[0].Cost.Total.Parameters);
        Assert.AreEqual(model.Cost.Nodes + model.Cost.Leaves, report.Steps[^1].Cost.Total.Parameters);
        Assert.AreEqual(model.Report.After.Trees.ToString(CultureInfo.InvariantCulture), Rows(Page(report), "What went, and why")["trees"][2]);
    }

    [TestMethod]
    public void A_model_without_networks_is_refused()
    {
        var data = Digits.Load(s_ml);
        var message = Assert.ThrowsExactly<ArgumentException>(() => s_ml.Compression().Report(Digits.Prepare(s_ml).Fit(data))).Message;
        StringAssert.Contains(message, "no neural network and no pruned trees");
    }

    private static byte[] Html(CompressionReport report)
    {
        using var file = new MemoryStream();
        report.SaveHtml(file);
        return file.ToArray();
    }

    private static XDocument Page(CompressionReport report) => XDocument.Parse(Encoding.UTF8.GetString(Html(report)));

    /// <summary>The rows of a section's first table by their first cell.</summary>
    private static Dictionary<string, string[]> Rows(XDocument page, string section)
        => page.Descendants("section").Single(one => one.Element("h2")!.Value == section).Descendants("tbody").First().Elements("tr")
            .ToDictionary(row => row.Elements().First().Value, row => row.Elements().Select(cell => cell.Value).ToArray());

    private static MemoryStream Rename(Network network, string name)
    {
        var model = OnnxWriter.Write(network);
        model.Graph.Node[0].Name = name;
        return new(Google.Protobuf.MessageExtensions.ToByteArray(model));
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
