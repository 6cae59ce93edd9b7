using System.Text.Json;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/Mnist from end to end, on files like those of MNIST that hold the digits of samples/data in 28 x 28 pixels.</summary>
[TestClass]
public class MnistSampleTests
{
    private const int TrainingRows = 500;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mnist");

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public void A_recipe_reports_what_any_runtime_measures_and_goes_on_after_a_stop()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        // The page's command, on these files and with fewer seeds.
        var command = Markdown.Commands("docs/steps/prune.md", "dotnet run -c Release --project samples/Mnist -- ").Single();
        string[] arguments = [.. command.Split(" -- ")[1].Replace("path/to/mnist", _folder.FullName).Split(' '), "--seeds", "2", "--output", _folder.FullName];
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Mnist", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);

        var results = Path.Combine(_folder.FullName, "lenet300");
        var written = File.ReadAllText(Path.Combine(results, "report.json"));
        using var report = JsonDocument.Parse(written);
        Assert.AreEqual(266_610, report.RootElement.GetProperty("parameters").GetInt64());
        var best = report.RootElement.GetProperty("seeds").EnumerateArray()
            .Single(seed => seed.GetProperty("seed").GetInt32() == report.RootElement.GetProperty("best").GetInt32());
        var validation = report.RootElement.GetProperty("seeds").EnumerateArray().Select(seed => seed.GetProperty("validationAccuracy").GetDouble()).ToArray();
        Assert.AreEqual(2, validation.Length);
        Assert.AreEqual(validation.Max(), best.GetProperty("validationAccuracy").GetDouble());
        Assert.AreEqual(100.0 * IdxDigits.Errors(Path.Combine(results, "best.onnx"), digits[TrainingRows..]) / (digits.Length - TrainingRows),
            best.GetProperty("testError").GetDouble(), 1e-9);

        // As after a kill between two stages: the last one is run again, with the same result.
        foreach (var file in Directory.GetFiles(Path.Combine(results, "seed1")).Order().TakeLast(1))
        {
            File.Delete(file);
        }

        (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Mnist", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);
        Assert.AreEqual(written, File.ReadAllText(Path.Combine(results, "report.json")));

        File.WriteAllText(Path.Combine(results, "settings.json"), "[]");
        (exitCode, _, errors) = ChildProcess.Run(ChildProcess.Built("samples/Mnist", arguments));
        Assert.AreNotEqual(0, exitCode);
        StringAssert.Contains(errors, "other settings");
    }

    [TestMethod]
    public void A_network_is_taken_apart_and_measured_before_and_after()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Mnist",
            ["--data", _folder.FullName, "--recipe", "lenet300-factorized", "--seeds", "1", "--output", _folder.FullName]));
        Assert.AreEqual(0, exitCode, errors + printed);
        var results = Path.Combine(_folder.FullName, "lenet300-factorized");
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(results, "report.json")));
        var seed = report.RootElement.GetProperty("seeds")[0];
        Assert.IsGreaterThanOrEqualTo(4, seed.GetProperty("compression").GetDouble());
        Assert.AreEqual(100.0 * IdxDigits.Errors(Path.Combine(results, "best.onnx"), digits[TrainingRows..]) / (digits.Length - TrainingRows),
            seed.GetProperty("testError").GetDouble(), 1e-9);
        Assert.IsLessThan(5, Math.Abs(seed.GetProperty("testError").GetDouble() - seed.GetProperty("testErrorAgainst").GetDouble()));
    }
}
