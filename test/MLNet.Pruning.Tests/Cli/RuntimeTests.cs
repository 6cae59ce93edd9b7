using System.Diagnostics;
using MLNet.Pruning.Scoring.Native;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>The tool as its packages for runtimes without libtorch or without ONNX Runtime have it: without the native files.</summary>
[TestClass]
public class RuntimeTests
{
    [TestMethod]
    public void Without_libtorch_all_but_training_works()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var tool = Without(files, "torch");
        AssertWorks(tool, "prune", model, "-o", files["b.onnx"]);
        AssertWorks(tool, "verify", files["b.onnx"], model, "--masked");
        AssertRefused(tool, "native library of TorchSharp", "prune", model, "-o", files["c.onnx"], "--importance", "synflow");
        var small = files.Save("small.onnx", Network.Mlp(2, 8, 2).Initialize(1));
        var rows = files.Write("rows.csv", ["a,b,c", .. Enumerable.Range(0, 40).Select(i => $"{i % 7},{i % 5},{i % 2}")]);
        AssertRefused(tool, "native library of TorchSharp", "prune", small, "-o", files["c.onnx"], "--data", rows, "--label", "c");
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    [TestMethod]
    public void Without_ONNX_Runtime_models_are_inspected_and_pruned()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var tool = Without(files, "onnxruntime");
        AssertWorks(tool, "inspect", model);
        AssertWorks(tool, "prune", model, "-o", files["b.onnx"]);
        AssertRefused(tool, "ONNX Runtime, which runs models", "verify", files["b.onnx"], model, "--masked");
        AssertRefused(tool, "ONNX Runtime, which runs models", "bench", model, files["b.onnx"]);
    }

    /// <summary>A copy of the built tool without its native files of that name.</summary>
    /// <returns>Path of its assembly.</returns>
    private static string Without(CliFiles files, string name)
    {
        var built = Path.GetDirectoryName(CliProcess.Built)!;
        // libtorch has half a gigabyte: where it stays it is not needed, and is left out too.
        var left = Directory.EnumerateFiles(built, "*", SearchOption.AllDirectories)
            .Where(file => !file.Contains(Path.DirectorySeparatorChar + "native" + Path.DirectorySeparatorChar)
            || !(Path.GetFileName(file).Contains(name, StringComparison.OrdinalIgnoreCase)
                || Path.GetFileName(file).Contains("torch", StringComparison.OrdinalIgnoreCase)));
        foreach (var file in left)
        {
            var copy = files[Path.Combine("tool", Path.GetRelativePath(built, file))];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return files[Path.Combine("tool", Path.GetFileName(CliProcess.Built))];
    }

    private static (int ExitCode, string Output, string Errors) Run(string tool, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [tool, .. arguments]);
        start.Environment.Remove(TorchLibrary.FolderVariable);
        return ChildProcess.Run(start);
    }

    private static void AssertWorks(string tool, params string[] arguments)
    {
        var (code, output, errors) = Run(tool, arguments);
        Assert.AreEqual(0, code, output + errors);
    }

    private static void AssertRefused(string tool, string what, params string[] arguments)
    {
        var (code, output, errors) = Run(tool, arguments);
        Assert.AreEqual(1, code, errors);
        Assert.AreEqual("", output, "TorchSharp's trace");
        StringAssert.StartsWith(errors, "error: ");
        StringAssert.Contains(errors, what);
        Assert.HasCount(1, errors.TrimEnd().Split('\n'), errors);
    }
}
