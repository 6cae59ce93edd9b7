using System.Xml.Linq;
using Microsoft.ML;
using MLNet.Pruning.Tests.Pipeline;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune report: pages of files and of chains.</summary>
[TestClass]
public class ReportTests
{
    [TestMethod]
    public void Two_files_are_told_in_figures_that_inspect_gives_too()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--sparsity", "0.5");
        var report = CliProcess.Json(0, "report", model, files["b.onnx"], "-o", files["page.html"], "--card", files["card.md"], "--title", "Half of it");
        foreach (var (step, file) in report.GetProperty("steps").EnumerateArray().Zip([model, files["b.onnx"]]))
        {
            var inspected = CliProcess.Json(0, "inspect", file);
            Assert.AreEqual(inspected.GetProperty("total").GetProperty("parameters").GetInt64(), step.GetProperty("parameters").GetInt64());
            Assert.IsTrue(step.GetProperty("bytes").GetInt64() is > 0 and var bytes && bytes <= new FileInfo(file).Length);
            Assert.IsGreaterThan(0, step.GetProperty("milliseconds").GetDouble());
        }

        Assert.AreEqual("Half of it", XDocument.Load(files["page.html"]).Descendants("title").First().Value);
        StringAssert.StartsWith(File.ReadAllText(files["card.md"]), "# Half of it\n");
    }

    [TestMethod]
    public void A_saved_chain_is_told_with_its_settings_and_the_same_bytes_each_time()
    {
        using var files = new CliFiles();
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(ml.Transforms.Prune(0.6)).Fit(data);
        ml.Compression().Save(model, data.Schema, files["model.zip"]);
        foreach (var name in new[] { "1.html", "2.html" })
        {
            var steps = CliProcess.Json(0, "report", files["model.zip"], "-o", files[name], "--no-latency").GetProperty("steps");
            Assert.AreEqual(model.LastTransformer.Network.ParameterCount, steps[1].GetProperty("parameters").GetInt64());
            Assert.AreEqual("accuracy", steps[1].GetProperty("metric").GetString());
        }

        Assert.AreSequenceEqual(File.ReadAllBytes(files["1.html"]), File.ReadAllBytes(files["2.html"]));
        Assert.Contains("Fraction(0.6)", XDocument.Load(files["1.html"]).Descendants("td").Select(cell => cell.Value));
    }
}
