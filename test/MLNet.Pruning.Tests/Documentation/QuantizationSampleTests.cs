using System.Text.Json;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/Quantization from end to end, on files like those of MNIST that hold the digits of samples/data in 28 x 28 pixels.</summary>
[TestClass]
public class QuantizationSampleTests
{
    private const int TrainingRows = 900;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mnist");

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public void Each_form_is_reported_as_onnx_runtime_measures_its_file()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        // The page's command, on these files and with one seed.
        var command = Markdown.Commands("docs/steps/quantize.md", "dotnet run -c Release --project samples/Quantization -- ").Single();
        string[] arguments = [.. command.Split(" -- ")[1].Replace("path/to/mnist", _folder.FullName).Split(' '), "--seeds", "1", "--output", _folder.FullName];
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Quantization", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);

        var results = Path.Combine(_folder.FullName, "lenet300");
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(results, "report.json")));
        var forms = report.RootElement.GetProperty("forms").EnumerateArray().ToArray();
        Assert.IsGreaterThan(5, forms.Length);
        // Of dynamic integers a row's score depends on the rows beside it, so that rows one by one are another measurement.
        foreach (var (i, form) in forms.Index().Where(form => !form.Item.GetProperty("form").GetString()!.StartsWith("dynamic", StringComparison.Ordinal)))
        {
            var name = form.GetProperty("form").GetString()!;
            var (path, seed) = (Path.Combine(results, "seed1", $"{i + 1}-{name}.onnx"), form.GetProperty("seeds")[0]);
            Assert.AreEqual(new FileInfo(path).Length, seed.GetProperty("bytes").GetInt64(), name);
            Assert.AreEqual(100 - (100.0 * IdxDigits.Errors(path, digits[TrainingRows..]) / (digits.Length - TrainingRows)),
                seed.GetProperty("accuracy").GetDouble(), 1e-9, name);
            StringAssert.Contains(printed, $"| {name} | ");
        }
    }
}
