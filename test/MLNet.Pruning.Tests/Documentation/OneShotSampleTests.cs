using System.Text.Json;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/OneShot from end to end, on files like those of MNIST and one sparsity.</summary>
[TestClass]
public class OneShotSampleTests
{
    private const int TrainingRows = 900;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mnist");

    [TestCleanup]
    public void Delete() => _folder.Delete(recursive: true);

    [TestMethod]
    public void The_report_has_what_any_runtime_counts_and_a_second_run_takes_what_is_there()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        var network = Path.Combine(_folder.FullName, "dense.onnx");
        Network.Mlp(784, 40, 20, 10).Initialize(1).SaveOnnx(network);
        var command = Markdown.Commands("docs/steps/prune.md", "dotnet run -c Release --project samples/OneShot -- --data path/to/mnist --network ")
            .Single();
        string[] arguments =
        [
            .. command.Split(" -- ")[1].Replace("path/to/mnist", _folder.FullName).Replace("path/to/mlpnet.onnx", network)
                .Replace("--recipe mlpnet", "--recipe mlpnet-0.8").Split(' '), "--seeds", "1", "--output", _folder.FullName,
        ];
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/OneShot", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.FullName, "mlpnet-0.8", "report.json")));
        foreach (var (i, way) in report.RootElement.GetProperty("ways").EnumerateArray().Index())
        {
            var name = way.GetProperty("name").GetString()!;
            var model = new Microsoft.ML.MLContext(1);
            var path = Path.Combine(_folder.FullName, "mlpnet-0.8", "seed1", $"{i + 2}-{name} 0.8.zip");
            var pruned = ((IEnumerable<Microsoft.ML.ITransformer>)Microsoft.ML.CompressionExtensions.Compression(model).Load(path, out _))
                .OfType<NeuralNetworkTransformer>().Last().Network;
            Assert.AreEqual(0.8, NetworkCost.Of(pruned).Total.Sparsity, 0.01, name);
            // The network reads pixels less their mean, by their deviation: in ONNX Runtime they are made so.
            var onnx = Path.Combine(_folder.FullName, $"{i}.onnx");
            pruned.SaveOnnx(onnx);
            var wrong = IdxDigits.Errors(onnx, digits[TrainingRows..], pixel => (pixel - 0.1307f) / 0.3081f);
            Assert.AreEqual(100 - (100.0 * wrong / (digits.Length - TrainingRows)),
                way.GetProperty("points")[0].GetProperty("accuracies")[0].GetDouble(), 1e-9, name);
        }

        var written = File.GetLastWriteTimeUtc(Path.Combine(_folder.FullName, "mlpnet-0.8", "seed1", "4-many stages 0.8.zip"));
        Assert.AreEqual(0, ChildProcess.Run(ChildProcess.Built("samples/OneShot", arguments)).ExitCode);
        Assert.AreEqual(written, File.GetLastWriteTimeUtc(Path.Combine(_folder.FullName, "mlpnet-0.8", "seed1", "4-many stages 0.8.zip")));
    }

    [TestMethod]
    public void Half_of_the_filters_go_and_the_accuracy_is_what_any_runtime_counts()
    {
        var digits = IdxDigits.Write(_folder, TrainingRows);
        string[] arguments = ["--data", _folder.FullName, "--recipe", "lenet5", "--seeds", "1", "--output", _folder.FullName];
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/OneShot", arguments));
        Assert.AreEqual(0, exitCode, errors + printed);
        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.FullName, "lenet5", "report.json")));
        foreach (var (i, way) in report.RootElement.GetProperty("ways").EnumerateArray().Index())
        {
            var name = way.GetProperty("name").GetString()!;
            var path = Path.Combine(_folder.FullName, "lenet5", "seed1", $"{i + 1}-{name}.zip");
            var model = Microsoft.ML.CompressionExtensions.Compression(new Microsoft.ML.MLContext(1)).Load(path, out _);
            var network = (model as NeuralNetworkTransformer ?? ((IEnumerable<Microsoft.ML.ITransformer>)model).OfType<NeuralNetworkTransformer>().Last())
                .Network;
            Assert.AreEqual(i == 0 ? (20, 50) : (10, 25), (network["conv1.weight"].Shape[0], network["conv2.weight"].Shape[0]), name);
            var onnx = Path.Combine(_folder.FullName, $"{i}.onnx");
            network.SaveOnnx(onnx);
            var wrong = IdxDigits.Errors(onnx, digits[TrainingRows..]);
            Assert.AreEqual(100 - (100.0 * wrong / (digits.Length - TrainingRows)), way.GetProperty("accuracies")[0].GetDouble(), 1e-9, name);
        }
    }
}
