namespace MLNet.Pruning.Tests.Cli;

/// <summary>Half a gigabyte of libtorch is for the commands that train.</summary>
[TestClass]
public class LoadingTests
{
    [TestMethod]
    public void What_does_not_train_does_not_load_libtorch()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        AssertNone("--help");
        AssertNone("inspect", model, "--groups");
        AssertNone("prune", model, "-o", files["b.onnx"], "--fold-batch-norm");
        AssertNone("prune", model, "-o", files["c.onnx"], "--granularity", "weight", "--importance", "l2");
        CollectionAssert.Contains(AssertNone("verify", files["b.onnx"], model, "--masked"), "Microsoft.ML.OnnxRuntime.dll");
        var rows = files.Write("rows.csv", ["a,b,c", .. Enumerable.Range(0, 40).Select(i => $"{i % 7},{i % 5},{i % 2}")]);
        AssertNone("evaluate", files.Save("d.onnx", Network.Mlp(2, 8, 2).Initialize(1)), "--data", rows, "--label", "c", "--metrics",
            "macro-AUC,accuracy under GaussianNoise(0.1),latency-p50,cold-start,energy,sparsity,gap of log-loss", "--training", rows);
        var timed = AssertNone("bench", model, files["b.onnx"], "--rounds", "1");
        Assert.IsTrue(timed.Any(LoadedFiles.IsOnnxRuntime), "native libraries are listed");

        string[] AssertNone(params string[] arguments)
        {
            var loaded = LoadedFiles.Of(files["loaded.txt"], CliProcess.Start(arguments));
            CollectionAssert.Contains(loaded, "MLNet.Pruning.dll");
            Assert.IsFalse(loaded.Any(IsLibTorch), $"{arguments[0]} loads {string.Join(", ", loaded.Where(IsLibTorch))}");
            return loaded;
        }
    }

    [TestMethod]
    public void What_trains_loads_libtorch()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Mlp(2, 8, 2).Initialize(1));
        var rows = files.Write("rows.csv", ["a,b,c", .. Enumerable.Range(0, 40).Select(i => $"{i % 7},{i % 5},{i % 2}")]);
        string[] prune = ["prune", model, "-o", files["b.onnx"]];
        string[][] ways = [["--data", rows, "--label", "c", "--importance", "taylor"], ["--data", rows, "--label", "c"], ["--importance", "synflow"]];
        foreach (var way in ways)
        {
            Assert.IsTrue(LoadedFiles.Of(files["loaded.txt"], CliProcess.Start([.. prune, .. way])).Any(IsLibTorch), string.Join(" ", way));
        }
    }

    /// <summary>libtorch_cpu.so, torch_cpu.dll, libLibTorchSharp.so, TorchSharp.dll and the like.</summary>
    private static bool IsLibTorch(string name) => name.Contains("torch", StringComparison.OrdinalIgnoreCase);
}
