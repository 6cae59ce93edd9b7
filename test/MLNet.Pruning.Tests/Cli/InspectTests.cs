namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune inspect against figures counted by hand.</summary>
[TestClass]
public class InspectTests
{
    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void A_link_is_as_large_as_what_it_leads_to()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        File.CreateSymbolicLink(files["link.onnx"], "a.onnx");
        Assert.AreEqual(new FileInfo(model).Length, CliProcess.Json(0, "inspect", files["link.onnx"]).GetProperty("bytes").GetInt64());
    }

    [TestMethod]
    public void Counts_layers_and_groups()
    {
        using var files = new CliFiles();
        var found = CliProcess.Json(0, "inspect", files.Save("a.onnx", CliFiles.Convolutional()));

        Assert.AreEqual("[\"N\",1,12,12]", found.GetProperty("inputs")[0].GetProperty("shape").GetRawText());
        Assert.AreEqual("[\"N\",10]", found.GetProperty("outputs")[0].GetProperty("shape").GetRawText());
        var layers = found.GetProperty("layers").EnumerateArray().ToDictionary(layer => layer.GetProperty("name").GetString()!);
        Assert.AreEqual("[[32,16,3,3]]", layers["conv2"].GetProperty("weightShapes").GetRawText());
        Assert.AreEqual("[\"N\",32,3,3]", layers["conv2"].GetProperty("output").GetRawText());
        Assert.AreEqual((32 * 16 * 9) + 32, layers["conv2"].GetProperty("counts").GetProperty("parameters").GetInt64());
        Assert.AreEqual(32 * 16 * 9 * 9, layers["conv2"].GetProperty("counts").GetProperty("multiplyAdds").GetInt64());
        Assert.AreEqual((16 * 9) + 16 + (2 * 16) + (32 * 16 * 9) + 32 + (288 * 20) + 20 + (20 * 10) + 10,
            found.GetProperty("total").GetProperty("parameters").GetInt64());
        Assert.AreEqual((16 * 9 * 100) + (32 * 16 * 9 * 9) + (288 * 20) + (20 * 10), found.GetProperty("total").GetProperty("multiplyAdds").GetInt64());
        Assert.AreEqual(new FileInfo(files["a.onnx"]).Length, found.GetProperty("bytes").GetInt64());

        var groups = found.GetProperty("groups").EnumerateArray()
            .ToDictionary(family => family.GetProperty("layer").GetString()!, family => family.GetProperty("count").GetInt32());
        CollectionAssert.AreEquivalent(new Dictionary<string, int> { ["conv1"] = 16, ["conv2"] = 32, ["fc1"] = 20 }, groups);
        StringAssert.Contains(found.GetProperty("reasons")[0].GetString(), "fc2");
    }

    [TestMethod]
    public void Lists_and_explains_groups()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var families = CliProcess.Json(0, "inspect", model, "--groups").GetProperty("groups").EnumerateArray();
        var family = families.Single(family => family.GetProperty("layer").GetString() == "conv2").GetProperty("groups");
        Assert.AreEqual(32, family.GetArrayLength());
        var members = family[3].GetProperty("members").EnumerateArray().ToDictionary(member => member.GetProperty("parameter").GetString()!);
        Assert.AreEqual("[27,28,29,30,31,32,33,34,35]", members["fc1.weight"].GetProperty("indices").GetRawText(), "channel 3 of 3 x 3 pixels, flattened");

        var explained = CliProcess.Json(0, "inspect", model, "--explain", "conv1:5");
        Assert.AreEqual(5, explained.GetProperty("number").GetInt32());
        CollectionAssert.Contains(explained.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("slice").GetString()).ToArray(),
            "conv2.weight[:,5]");
        StringAssert.Contains(CliProcess.Run("inspect", model, "--explain", "conv1:5").Output, "conv1.weight[5] goes with conv2.weight[:,5] because");
        StringAssert.Contains(CliProcess.Json(1, "inspect", model, "--explain", "conv1:16").GetProperty("error").GetString(), "0 to 15");
        StringAssert.Contains(CliProcess.Json(1, "inspect", model, "--explain", "conv9:1").GetProperty("error").GetString(), "conv2");
        CliProcess.Json(2, "inspect", model, "--explain", "conv1");
    }

    [TestMethod]
    public void Prints_names_that_would_steer_the_terminal_without_their_control_characters()
    {
        using var files = new CliFiles();
        var (code, output, _) = CliProcess.Run("inspect", files.Save("a.onnx", Network.Sequential([4], Layer.Dense(2, name: "a\u001b[2Jb")).Initialize(1)));
        Assert.AreEqual(0, code);
        StringAssert.Contains(output, "a?[2Jb");
        Assert.IsFalse(output.Contains('\u001b'));
    }
}
