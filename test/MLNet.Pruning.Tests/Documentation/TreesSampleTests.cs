using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>samples/Trees does what it says: a quarter of the nodes at most, the metric kept, faster scoring.</summary>
[TestClass]
public class TreesSampleTests
{
    [TestMethod]
    public void The_sample_prunes_to_a_quarter_of_the_nodes_and_writes_its_report()
    {
        var output = Directory.CreateTempSubdirectory("trees");
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Trees", "--seeds", "1", "--output", output.FullName));
        Assert.AreEqual(0, exitCode, errors);
        StringAssert.Contains(printed, "| 1 | 200 |");

        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(output.FullName, "report.json")));
        var (ensemble, pruned) = (report.RootElement.GetProperty("ensemble"), report.RootElement.GetProperty("pruned"));
        double Of(JsonElement figures, string name) => figures.GetProperty(name).GetDouble();
        Assert.AreEqual(200, Of(ensemble, "trees"));
        Assert.IsLessThanOrEqualTo(Of(ensemble, "nodes") / 4, Of(pruned, "nodes"));
        Assert.IsLessThanOrEqualTo((Of(ensemble, "nodes") + Of(ensemble, "leaves")) / 4, Of(pruned, "nodes") + Of(pruned, "leaves"));
        Assert.IsGreaterThanOrEqualTo(Of(ensemble, "metric") - 0.005, Of(pruned, "metric"));
        Assert.IsGreaterThanOrEqualTo(3, Of(pruned, "rows_per_second") / Of(ensemble, "rows_per_second"));

        using var session = new InferenceSession(Path.Combine(output.FullName, "pruned.onnx"));
        CollectionAssert.AreEqual(new[] { -1, 64 }, session.InputMetadata["features"].Dimensions);
        CollectionAssert.AreEquivalent(new[] { "score", "probability" }, session.OutputMetadata.Keys.ToArray());
        output.Delete(recursive: true);
    }
}
