using System.Globalization;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune factorize.</summary>
[TestClass]
public class FactorizeTests
{
    [TestMethod]
    public void Convolutions_and_dense_layers_get_smaller_without_rows()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var answer = CliProcess.Json(0, "factorize", model, "-o", files["b.onnx"], "--by", "tucker2 + svd", "--rank", "fraction(0.4)", "--except", "fc2");
        var parameters = answer.GetProperty("output").GetProperty("parameters").GetInt64();
        Assert.AreEqual(Network.FromOnnx(files["b.onnx"]).ParameterCount, parameters);
        Assert.IsLessThan(answer.GetProperty("input").GetProperty("parameters").GetInt64(), parameters);
        Assert.AreEqual("Tucker2 + Svd", answer.GetProperty("factorizer").GetString());
        Assert.Contains(layer => layer.TryGetProperty("factorizer", out var by) && by.GetString() == "Tucker2",
            answer.GetProperty("layers").EnumerateArray().ToArray());
        Assert.Contains("rows", CliProcess.Json(2, "factorize", model, "-o", files["c.onnx"], "--by", "data-aware-svd").GetProperty("error").GetString()!);
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    [TestMethod]
    public void Outputs_are_measured_on_rows_and_so_are_both_models()
    {
        using var files = new CliFiles();
        var random = new Random(3);
        var rows = Enumerable.Range(0, 300).Select(_ => Enumerable.Range(0, 6).Select(_ => random.NextDouble()).ToArray())
            .Select(row => string.Join(',', row.Select(value => value.ToString(CultureInfo.InvariantCulture)).Append($"{(row[0] > row[1] ? 0 : 1)}")));
        // The class is told by one difference, which a rank of one keeps.
        var model = files.Save("a.onnx", Network.Sequential([6], Layer.Dense(6), Layer.Dense(2)).Initialize(1).With("fc1.weight", [1, -1, .. new float[34]])
            .With("fc1.bias", new float[6]).With("fc2.weight", [1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0]).With("fc2.bias", new float[2]));
        var answer = CliProcess.Json(0, "factorize", model, "-o", files["b.onnx"], "--by", "pca", "--rank", "fixed(1)", "--data",
            files.Write("rows.csv", ["a,b,c,d,e,f,y", .. rows]), "--label", "y");
        Assert.AreEqual(1, answer.GetProperty("validation").GetProperty("before").GetDouble());
        Assert.AreEqual(1, answer.GetProperty("validation").GetProperty("after").GetDouble());
        Assert.AreEqual(12, answer.GetProperty("layers")[0].GetProperty("parametersAfter").GetInt32());
    }
}
