using System.Diagnostics;
using System.Text.Json.Nodes;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>The tool as its packages for runtimes without libtorch or without ONNX Runtime configure it.</summary>
[TestClass]
public class RuntimeTests
{
    [TestMethod]
    public void Without_libtorch_all_but_training_works()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        AssertWorks(files, "LibTorch", "prune", model, "-o", files["b.onnx"]);
        AssertWorks(files, "LibTorch", "verify", files["b.onnx"], model, "--masked");
        AssertRefused(files, "LibTorch", "libtorch", "prune", model, "-o", files["c.onnx"], "--importance", "synflow");
        AssertRefused(files, "LibTorch", "libtorch", "prune", model, "-o", files["c.onnx"], "--data", files.Write("rows.csv", "a,b", "1,0"), "--label", "b");
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    [TestMethod]
    public void Without_ONNX_Runtime_models_are_inspected_and_pruned()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        AssertWorks(files, "OnnxRuntime", "inspect", model);
        AssertWorks(files, "OnnxRuntime", "prune", model, "-o", files["b.onnx"]);
        AssertRefused(files, "OnnxRuntime", "ONNX Runtime", "verify", files["b.onnx"], model, "--masked");
        AssertRefused(files, "OnnxRuntime", "ONNX Runtime", "bench", model, files["b.onnx"]);
        var loaded = LoadedFiles.Of(files["loaded.txt"], Start(files, "OnnxRuntime", "verify", model, model), exitCode: 1);
        Assert.IsFalse(loaded.Any(LoadedFiles.IsOnnxRuntime), "refused before it is loaded");
    }

    private static void AssertWorks(CliFiles files, string without, params string[] arguments)
    {
        var (code, output, errors) = ChildProcess.Run(Start(files, without, arguments));
        Assert.AreEqual(0, code, output + errors);
    }

    private static void AssertRefused(CliFiles files, string without, string name, params string[] arguments)
    {
        var (code, _, errors) = ChildProcess.Run(Start(files, without, arguments));
        Assert.AreEqual(1, code, errors);
        StringAssert.StartsWith(errors, $"error: There is no {name}");
    }

    private static ProcessStartInfo Start(CliFiles files, string without, params string[] arguments)
    {
        var configuration = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(CliProcess.Built, "runtimeconfig.json")))!;
        configuration["runtimeOptions"]!["configProperties"]![$"MLNet.Pruning.Cli.{without}"] = false;
        var file = files.Write("runtimeconfig.json", configuration.ToJsonString());
        return new("dotnet", ["exec", "--runtimeconfig", file, CliProcess.Built, .. arguments]);
    }
}
