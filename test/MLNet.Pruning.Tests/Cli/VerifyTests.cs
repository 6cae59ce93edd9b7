using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune verify: what it lets pass and what it catches.</summary>
[TestClass]
public class VerifyTests
{
    [TestMethod]
    public void A_model_agrees_with_itself_and_differs_from_its_double_by_half()
    {
        using var files = new CliFiles();
        var network = Network.Sequential([6], Layer.Dense(4, bias: false)).Initialize(1);
        var (model, twice) = (files.Save("a.onnx", network),
            files.Save("b.onnx", network.With("fc1.weight", [.. network["fc1.weight"].Values.ToArray().Select(value => 2 * value)])));

        var same = CliProcess.Json(0, "verify", model, model, "--inputs", "5");
        Assert.AreEqual(0.0, same.GetProperty("maxAbsolute").GetDouble());
        Assert.AreEqual(5 * 4, same.GetProperty("outputs")[0].GetProperty("values").GetInt32());

        var other = CliProcess.Json(1, "verify", model, twice);
        Assert.IsFalse(other.GetProperty("within").GetBoolean());
        Assert.AreEqual(0.5, other.GetProperty("maxRelative").GetDouble(), 1e-6, "|x - 2x| over |2x|");
        CliProcess.Json(0, "verify", model, twice, "--tolerance", "0.6");
    }

    [TestMethod]
    public void The_seed_decides_the_rows()
    {
        using var files = new CliFiles();
        var (a, b) = (files.Save("a.onnx", CliFiles.Convolutional(1)), files.Save("b.onnx", CliFiles.Convolutional(2)));
        double Apart(string seed) => CliProcess.Json(1, "verify", a, b, "--seed", seed).GetProperty("maxAbsolute").GetDouble();
        Assert.AreEqual(Apart("1"), Apart("1"));
        Assert.AreNotEqual(Apart("1"), Apart("2"));
    }

    [TestMethod]
    public void Other_inputs_or_outputs_are_refused_by_name()
    {
        using var files = new CliFiles();
        var a = files.Save("a.onnx", Network.Mlp(6, 4, 3).Initialize(1));
        foreach (var other in new[] { Network.Mlp(7, 4, 3), Network.Mlp(6, 4, 2) })
        {
            var error = CliProcess.Json(1, "verify", a, files.Save("b.onnx", other.Initialize(1))).GetProperty("error").GetString();
            StringAssert.Contains(error, "a.onnx");
            StringAssert.Contains(error, "b.onnx");
        }
    }

    [TestMethod]
    public void The_masked_original_agrees_until_the_small_one_is_damaged()
    {
        using var files = new CliFiles();
        var original = files.Save("a.onnx", CliFiles.Convolutional());
        foreach (var extra in new string[][] { [], ["--fold-batch-norm"], ["--alignment", "1", "--sparsity", "0.7"] })
        {
            CliProcess.Json(0, ["prune", original, "-o", files["b.onnx"], .. extra]);
            var agrees = CliProcess.Json(0, "verify", files["b.onnx"], original, "--masked");
            Assert.AreEqual(0, agrees.GetProperty("changed").GetArrayLength());
            Assert.IsGreaterThan(0.01, agrees.GetProperty("outputs")[0].GetProperty("largest").GetDouble(), "outputs that could differ");
            CliProcess.Json(1, "verify", files["b.onnx"], original);
        }

        var small = Network.FromOnnx(files["b.onnx"]);
        var damaged = small["conv2.weight"].Values.ToArray();
        damaged[7] = -damaged[7] - 1;
        small.With("conv2.weight", damaged).SaveOnnx(files["damaged.onnx"]);
        var differs = CliProcess.Json(1, "verify", files["damaged.onnx"], original, "--masked");
        Assert.AreEqual("[\"conv2.weight\"]", differs.GetProperty("changed").GetRawText());
    }

    [TestMethod]
    public void A_removal_after_a_removal_is_verified_against_the_first_original()
    {
        using var files = new CliFiles();
        var original = files.Save("a.onnx", CliFiles.Convolutional());
        CliProcess.Json(0, "prune", original, "-o", files["b.onnx"], "--alignment", "1", "--sparsity", "0.3");
        CliProcess.Json(0, "prune", files["b.onnx"], "-o", files["c.onnx"], "--alignment", "1", "--sparsity", "0.5");
        CliProcess.Json(0, "verify", files["c.onnx"], original, "--masked");
        var other = CliProcess.Json(1, "verify", files["c.onnx"], files["b.onnx"], "--masked").GetProperty("error").GetString();
        StringAssert.StartsWith(other, $"{files["c.onnx"]} against {files["b.onnx"]}: ");
        StringAssert.Contains(other, "was made from one");
    }

    [TestMethod]
    [DataRow("nonsense")]
    [DataRow("null")]
    [DataRow("{\"conv1.weight\":null}")]
    [DataRow("{\"conv1.weight\":{\"shape\":null,\"kept\":null,\"masked\":true}}")]
    [DataRow("{\"conv1.weight\":{\"shape\":[16,1,3,3],\"kept\":{\"9\":\"0\"},\"masked\":true}}")]
    [DataRow("{\"conv1.weight\":{\"shape\":[16,1,3,3],\"kept\":{\"0\":\"0-99\"},\"masked\":true}}")]
    [DataRow("{\"conv1.weight\":{\"shape\":[16,1,3,3],\"kept\":{\"0\":\"0-99999999999\"},\"masked\":true}}")]
    [DataRow("{\"conv1.weight\":{\"shape\":[16,1,3,3],\"kept\":{\"0\":\"1,2,x\"},\"masked\":true}}")]
    [DataRow("{\"conv1.weight\":{\"shape\":[16,1,3,3],\"kept\":{\"0\":\"1,2\"},\"masked\":true}}")]
    [DataRow("{\"nowhere\":{\"shape\":[16,1,3,3],\"kept\":{\"0\":\"1\"},\"masked\":true}}")]
    public void Metadata_that_was_tampered_with_is_refused(string kept)
    {
        using var files = new CliFiles();
        var original = files.Save("a.onnx", CliFiles.Convolutional());
        var network = Network.FromOnnx(original);
        var small = files.Save("b.onnx", new Network(network.Parts with { Metadata = network.Graph.Metadata.SetItem(KeptMetadata.Key, kept), AsRead = false }));
        StringAssert.Contains(CliProcess.Json(1, "verify", small, original, "--masked").GetProperty("error").GetString(), "b.onnx");
    }

    [TestMethod]
    public void Without_a_removal_there_is_nothing_to_mask()
    {
        using var files = new CliFiles();
        var original = files.Save("a.onnx", CliFiles.Convolutional());
        CliProcess.Json(0, "prune", original, "-o", files["b.onnx"], "--granularity", "weight");
        var error = CliProcess.Json(1, "verify", files["b.onnx"], original, "--masked").GetProperty("error").GetString();
        StringAssert.StartsWith(error, $"{files["b.onnx"]} against {original}: ");
        StringAssert.Contains(error, "nothing was removed");
        Assert.IsEmpty(Directory.GetDirectories(Path.GetTempPath(), "mlnet-prune*")
            .Where(folder => Directory.GetCreationTime(folder) < DateTime.Now.AddMinutes(-10)), "left behind");
    }

    [TestMethod]
    [DataRow("lenet5_batch1")]
    [DataRow("lstm")]
    [DataRow("transformer")]
    [DataRow("mobilenet_v3_small")]
    public void Networks_that_PyTorch_exports_pass(string name)
    {
        using var files = new CliFiles();
        var model = Zoo.Network(name).Path;
        CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--scope", "layer");
        Assert.IsGreaterThan(0.01, CliProcess.Json(0, "verify", files["b.onnx"], model, "--masked", "--inputs", "3").GetProperty("outputs")[0]
            .GetProperty("largest").GetDouble());
        CliProcess.Json(1, "verify", files["b.onnx"], model, "--inputs", "3");
    }
}
