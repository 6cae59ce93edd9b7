using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune diagnose: what it prints, and that what it says to type does what it says.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class DiagnoseTests
{
    [TestMethod]
    public void Units_that_are_zero_go_by_the_command_that_it_gives()
    {
        using var files = new CliFiles();
        var network = Network.Mlp(64, 300, 10).Initialize(1);
        var model = files.Save("model one.onnx", network.Mask(network.Groups().Take(100)));
        var answer = CliProcess.Json(0, "diagnose", model, "--only", "removable-units", "--threads", "1");
        var finding = answer.GetProperty("findings").EnumerateArray().Single();
        Assert.AreEqual("removable-units", finding.GetProperty("kind").GetString());
        var place = finding.GetProperty("places").EnumerateArray().Single();
        Assert.AreEqual("fc1", place.GetProperty("name").GetString());
        Assert.AreEqual(finding.GetProperty("share").GetDouble(), place.GetProperty("share").GetDouble(), 1e-9);

        var command = finding.GetProperty("command").GetString()!;
        StringAssert.StartsWith(command, $"mlnet-prune prune \"{model}\" -o small.onnx ");
        CliProcess.Json(0, [.. command.Replace($"\"{model}\"", "MODEL").Split(' ').Skip(1)
            .Select(word => word == "MODEL" ? model : word == "small.onnx" ? files["small.onnx"] : word)]);
        Assert.AreEqual(200, Network.FromOnnx(files["small.onnx"])["fc1.weight"].Shape[0]);
        Assert.IsTrue(CliProcess.Json(0, "verify", files["small.onnx"], model).GetProperty("within").GetBoolean());
        Assert.IsEmpty(CliProcess.Json(0, "diagnose", files["small.onnx"], "--only", "removable-units").GetProperty("findings").EnumerateArray());
    }

    [TestMethod]
    public void No_file_is_left_behind_where_it_works_and_where_it_fails()
    {
        using var files = new CliFiles();
        files.Save("model.onnx", Network.Mlp(4, 3).Initialize(1));
        // A second batch size than the file has is refused by ONNX Runtime, once it runs.
        File.Copy(Case.File("zero_min"), files["fixed.onnx"]);
        foreach (var (model, expected) in new[] { ("model.onnx", 0), ("fixed.onnx", 1) })
        {
            var start = CliProcess.Start("diagnose", model, "--batch", "2");
            (start.WorkingDirectory, start.Environment["TMPDIR"]) = (Path.GetDirectoryName(files[model])!, Path.GetDirectoryName(files[model])!);
            var (code, _, errors) = ChildProcess.Run(start);
            Assert.AreEqual(expected, code, errors);
            CollectionAssert.AreEqual(new[] { "fixed.onnx", "model.onnx" }, Directory.GetFileSystemEntries(Path.GetDirectoryName(files[model])!)
                .Select(Path.GetFileName).Where(name => name!.Contains("onnx", StringComparison.Ordinal)
                    || name.StartsWith("MLNet.Pruning", StringComparison.Ordinal)).Order().ToArray());
        }
    }

    [TestMethod]
    public void A_chain_is_diagnosed_with_the_networks_that_it_keeps()
    {
        using var files = new CliFiles();
        var ml = new MLContext(1);
        var network = Network.Mlp(2, 4, 1).Initialize(1);
        var data = ml.Data.LoadFromEnumerable([new Row()]);
        var chain = ml.Transforms.LoadNetwork(network).Append(ml.Transforms.Prune(0.5)).Fit(data);
        ml.Compression().Save(chain, data.Schema, files["chain.zip"]);
        var (code, output, errors) = CliProcess.Run("diagnose", files["chain.zip"], "--only", "superseded-networks");
        Assert.AreEqual(0, code, errors);
        StringAssert.Contains(output, "superseded networks are kept");
        StringAssert.Contains(output, "model.Compact()");
        StringAssert.Contains(CliProcess.Json(2, "diagnose", files["chain.zip"], "--size", "a=2").GetProperty("error").GetString(), "--size");
    }

    private sealed class Row
    {
        [VectorType(2)]
        public float[] Features { get; set; } = new float[2];

        public float Label { get; set; }
    }
}
