using System.Text.Json;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/Distillation from end to end by the commands of its page.</summary>
[TestClass]
public class DistillationSampleTests
{
    private const int TrainingRows = 500;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distillation");

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public void Students_of_a_network_make_the_errors_that_any_runtime_counts()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        var results = Run("hinton", 1, out _);
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(results, "report.json")));
        var networks = report.RootElement.GetProperty("networks").EnumerateArray().ToDictionary(network => network.GetProperty("name").GetString()!);
        CollectionAssert.AreEquivalent(new[] { "teacher", "alone30", "taught30", "alone800", "taught800" }, networks.Keys.ToArray());
        Assert.AreEqual(784 * 800 + 800 + 800 * 800 + 800 + 800 * 10 + 10, networks["taught800"].GetProperty("weights").GetInt64());
        Assert.AreEqual(digits.Length - TrainingRows, report.RootElement.GetProperty("testImages").GetInt32());
        Assert.AreEqual(IdxDigits.Errors(Path.Combine(results, "student.onnx"), digits[TrainingRows..]),
            networks["taught800"].GetProperty("testErrors").EnumerateArray().Single().GetInt32());
    }

    [TestMethod]
    public void A_network_learns_what_trees_know_and_a_run_goes_on_after_a_stop()
    {
        var results = Run("trees", 2, out var first);
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(results, "report.json")));
        Assert.IsLessThanOrEqualTo(2000, report.RootElement.GetProperty("weights").GetInt64());
        var seeds = report.RootElement.GetProperty("seeds").EnumerateArray().ToArray();
        Assert.AreEqual(2, seeds.Length);
        foreach (var seed in seeds)
        {
            Assert.IsGreaterThan(0.95, seed.GetProperty("taught").GetProperty("auc").GetDouble());
            Assert.IsLessThan(seed.GetProperty("teacher").GetProperty("bytes").GetInt64(), seed.GetProperty("taught").GetProperty("bytes").GetInt64());
            Assert.AreEqual(JsonValueKind.Null, seed.GetProperty("alone").GetProperty("rowsPerSecond").ValueKind, "not measured");
            Assert.IsGreaterThan(seed.GetProperty("teacher").GetProperty("rowsPerSecond").GetDouble(),
                seed.GetProperty("taught").GetProperty("rowsPerSecond").GetDouble());
        }

        Assert.IsTrue(File.Exists(Path.Combine(results, "student.onnx")));
        // As after a kill: what is missing is made again, the same.
        File.Delete(Directory.GetFiles(Path.Combine(results, "seed2")).Order().Last());
        Run("trees", 2, out var again);
        Assert.AreEqual(Scores(first), Scores(again));

        // The lines of seeds up to the speeds, which differ from run to run.
        static string Scores(string printed) => string.Join('\n',
            printed.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Select(line => string.Join('|', line.Split('|').Take(8))));
    }

    /// <summary>Runs the page's command of a recipe with a number of seeds.</summary>
    private string Run(string recipe, int seeds, out string printed)
    {
        var command = Markdown.Commands("docs/steps/distil.md", "dotnet run -c Release --project samples/Distillation -- ")
            .Single(line => line.Contains($"--recipe {recipe}", StringComparison.Ordinal));
        string[] arguments = [.. command.Split(" -- ")[1].Replace("path/to/mnist", _folder.FullName).Split(' '), "--seeds", $"{seeds}", "--output",
            _folder.FullName];
        (var exitCode, printed, var errors) = ChildProcess.Run(ChildProcess.Built("samples/Distillation", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);
        return Path.Combine(_folder.FullName, recipe);
    }
}
