using System.Globalization;
using System.Text.Json;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune quantize.</summary>
[TestClass]
public class QuantizeTests
{
    [TestMethod]
    public void Weights_of_few_bits_and_half_floats_need_no_rows()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        foreach (var (to, most) in new[] { ("weights(4)", 0.5), ("ternary", 0.5), ("binary", 0.5), ("float16", 0.62) })
        {
            var quantized = CliProcess.Json(0, "quantize", model, "-o", files["b.onnx"], "--to", to);
            Assert.AreEqual(new FileInfo(files["b.onnx"]).Length, quantized.GetProperty("output").GetProperty("bytes").GetInt64());
            Assert.IsLessThan(most, (double)new FileInfo(files["b.onnx"]).Length / new FileInfo(model).Length, to);
        }

        Assert.IsLessThanOrEqualTo(16 * 15, Network.FromOnnx(files["b.onnx"])["conv1.weight"].Values.ToArray().Distinct().Count());
        Assert.Contains("rows", CliProcess.Json(2, "quantize", model, "-o", files["c.onnx"]).GetProperty("error").GetString()!);
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    [TestMethod]
    public void Floats_are_prepared_as_asked_for()
    {
        using var files = new CliFiles();
        var network = Network.Mlp(3, 8, 3).Initialize(1);
        var model = files.Save("a.onnx", network);
        var quantized = CliProcess.Json(0, "quantize", model, "-o", files["b.onnx"], "--to", "weights(4)", "--preparation", "equalize");
        Assert.AreEqual("Equalize", quantized.GetProperty("preparation").GetString());
        CollectionAssert.AreEqual(network.Quantize(Quantizer.Weights(4), preparation: QuantizationPreparation.Equalize)["fc1.weight"].Values.ToArray(),
            Network.FromOnnx(files["b.onnx"])["fc1.weight"].Values.ToArray());
        var random = new Random(3);
        var rows = Enumerable.Range(0, 100).Select(_ => FormattableString.Invariant($"{random.NextDouble()},{random.NextDouble()},2,{random.Next(3)}"));
        Assert.AreEqual("Smooth(0.25) + CorrectBias", CliProcess.Json(0, "quantize", model, "-o", files["c.onnx"], "--preparation", "smooth(0.25)+correct-bias",
            "--data", files.Write("rows.csv", ["a,b,c,y", .. rows]), "--label", "y").GetProperty("preparation").GetString());
    }

    [TestMethod]
    public void Ranges_are_learned_on_rows()
    {
        using var files = new CliFiles();
        var network = Network.Mlp(3, 8, 3).Initialize(1);
        var model = files.Save("a.onnx", network);
        var random = new Random(3);
        var rows = Enumerable.Range(0, 100).Select(_ => (double[])[random.NextDouble(), random.NextDouble(), 2]).ToArray();
        var data = files.Write("rows.csv", ["a,b,c,y", .. rows.Select((row, i) => FormattableString.Invariant($"{row[0]},{row[1]},{row[2]},{i % 3}"))]);
        CliProcess.Json(0, "quantize", model, "-o", files["b.onnx"], "--to", "weights(3)", "--range", "learned(50)", "--data", data, "--label", "y");
        Assert.IsLessThan(0.8 * Error(network.Quantize(Quantizer.Weights(3))), Error(Network.FromOnnx(files["b.onnx"])));
        Assert.Contains("--data", CliProcess.Json(2, "quantize", model, "-o", files["c.onnx"], "--to", "weights(3)", "--range", "learned")
            .GetProperty("error").GetString()!);

        double Error(Network rounded) => rows.Sum(row => Outputs(rounded, row).Zip(Outputs(network, row), (a, b) => Math.Pow(a - b, 2)).Sum());
    }

    [TestMethod]
    public void Epochs_train_what_two_bits_lose()
    {
        using var files = new CliFiles();
        var random = new Random(3);
        var rows = Enumerable.Range(0, 400).Select(_ => (double[])[random.NextDouble(), random.NextDouble(), random.NextDouble()]).ToArray();
        var data = files.Write("rows.csv", ["a,b,c,largest", .. rows.Select(row
            => FormattableString.Invariant($"{row[0]},{row[1]},{row[2]},{Array.IndexOf(row, row.Max())}"))]);
        var model = files.Save("a.onnx", Network.Mlp(3, 16, 3).Initialize(1));
        JsonElement Quantize(int code, params string[] more) => CliProcess.Json(code, ["quantize", model, "-o", files["b.onnx"], .. more]);
        string[] given = ["--to", "weights(2)", "--data", data, "--label", "largest"];
        var trained = Quantize(0, [.. given, "--epochs", "20", "--learning-rate", "0.02", "--batch-size", "16"]);
        var written = Network.FromOnnx(files["b.onnx"]);
        Assert.IsTrue(written["fc1.weight"].Values.ToArray().Chunk(3).All(unit => unit.Select(Math.Abs).Where(value => value > 0).Distinct().Count() <= 1));
        var right = rows.Average(row => Array.IndexOf(row, row.Max()) == Largest(written, row) ? 1.0 : 0);
        Assert.IsGreaterThan(0.8, right);
        Assert.AreEqual(right, trained.GetProperty("validation").GetProperty("after").GetDouble(), 0.15);
        var epochs = trained.GetProperty("epochs").EnumerateArray().ToArray();
        CollectionAssert.AreEqual(Enumerable.Range(1, 20).ToArray(), epochs.Select(epoch => epoch.GetProperty("epoch").GetInt32()).ToArray());
        Assert.AreEqual(trained.GetProperty("validation").GetProperty("after").GetDouble(), epochs[^1].GetProperty("rounded").GetDouble(), 1e-6);
        Assert.IsGreaterThan(epochs[^1].GetProperty("loss").GetDouble(), epochs[0].GetProperty("loss").GetDouble());
        Assert.IsFalse(Quantize(0, given).TryGetProperty("epochs", out _));
        // Another rate trains otherwise.
        Assert.AreNotEqual(epochs[0].GetProperty("loss").GetDouble(), Quantize(0, [.. given, "--epochs", "1"]).GetProperty("epochs")[0].GetProperty("loss")
            .GetDouble());
        Refused("--data", "--to", "weights(2)", "--epochs", "1");
        Refused("--epochs", [.. given, "--batch-size", "4"]);
        Refused("Epochs", [.. given, "--epochs", "1", "--rounding", "gptq"]);
        Refused("at least 0", [.. given, "--epochs", "-1"]);

        void Refused(string says, params string[] more) => Assert.Contains(says, Quantize(2, more).GetProperty("error").GetString()!);
        static int Largest(Network network, double[] row) => Outputs(network, row) is var outputs ? Array.IndexOf(outputs, outputs.Max()) : -1;
    }

    [TestMethod]
    public void What_pruning_leaves_is_quantised_in_the_same_call()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        CliProcess.Json(0, "prune", model, "-o", files["pruned.onnx"], "--granularity", "weight", "--sparsity", "0.6");
        var both = CliProcess.Json(0, "prune", model, "-o", files["both.onnx"], "--granularity", "weight", "--sparsity", "0.6", "--quantize", "weights(4)");
        CliProcess.Json(0, "quantize", files["pruned.onnx"], "-o", files["after.onnx"], "--to", "weights(4)");
        Assert.AreEqual("Weights(4, true, 0)", both.GetProperty("quantized").GetString());
        foreach (var parameter in Network.FromOnnx(files["after.onnx"]).Parameters)
        {
            Assert.AreSequenceEqual(parameter.Values.ToArray(), Network.FromOnnx(files["both.onnx"])[parameter.Name].Values.ToArray(), parameter.Name);
        }

        StringAssert.Contains(CliProcess.Json(2, "prune", model, "-o", files["c.onnx"], "--granularity", "weight", "--quantize", "binary")
            .GetProperty("error").GetString()!, "has no zero");
        StringAssert.Contains(CliProcess.Json(2, "prune", model, "-o", files["c.onnx"], "--quantize", "int8").GetProperty("error").GetString()!, "--data");
        Assert.IsFalse(File.Exists(files["c.onnx"]));
    }

    [TestMethod]
    public void Compressed_files_are_written_read_and_counted()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        CliProcess.Json(0, "prune", model, "-o", files["b.nnp"], "--sparsity", "0.8");
        var quantized = CliProcess.Json(0, "quantize", files["b.nnp"], "-o", files["c.nnp"], "--to", "codebook(4)");
        Assert.AreEqual("Codebook(4, Linear, 0, false)", quantized.GetProperty("to").GetString());
        Assert.AreEqual(new FileInfo(files["c.nnp"]).Length, quantized.GetProperty("output").GetProperty("bytes").GetInt64());
        Assert.IsLessThan(0.15, (double)new FileInfo(files["c.nnp"]).Length / new FileInfo(model).Length);
        var inspected = CliProcess.Json(0, "inspect", files["c.nnp"], "--encodings");
        Assert.AreEqual(new FileInfo(files["c.nnp"]).Length, inspected.GetProperty("bytes").GetInt64());
        var weight = inspected.GetProperty("encodings").EnumerateArray().Single(tensor => tensor.GetProperty("tensor").GetString() == "fc1.weight");
        Assert.AreEqual("entropyCoded", weight.GetProperty("smallest").GetString());
        Assert.AreEqual(4 * Network.FromCompressed(files["c.nnp"])["fc1.weight"].Count, weight.GetProperty("bytes").GetProperty("dense").GetInt64());
        Assert.Contains("EntropyCoded", CliProcess.Run("inspect", files["c.nnp"], "--encodings").Output, StringComparison.OrdinalIgnoreCase);
        CliProcess.Json(0, "quantize", files["c.nnp"], "-o", files["d.onnx"], "--to", "float16");
        CliProcess.Json(2, "inspect", files["c.nnp"], "--size", "N=3");
        File.WriteAllBytes(files["e.nnp"], [1, 2, 3]);
        Assert.Contains("does not begin", CliProcess.Json(1, "inspect", files["e.nnp"]).GetProperty("error").GetString()!);
        CliProcess.Json(1, "inspect", files["f.nnp"]);
    }

    [TestMethod]
    public void Integers_between_layers_are_measured_on_rows_and_keep_the_accuracy()
    {
        using var files = new CliFiles();
        var random = new Random(3);
        var rows = Enumerable.Range(0, 300).Select(_ => (double[])[random.NextDouble(), random.NextDouble(), random.NextDouble()])
            .Select(row => string.Join(',', row.Select(value => value.ToString(CultureInfo.InvariantCulture)).Append($"{Array.IndexOf(row, row.Max())}")));
        // The class is the largest of the three numbers, which the identity tells.
        var model = files.Save("a.onnx", Network.Mlp(3, 3, 3).Initialize(1).With("fc1.weight", [1, 0, 0, 0, 1, 0, 0, 0, 1]).With("fc1.bias", new float[3])
            .With("fc2.weight", [1, 0, 0, 0, 1, 0, 0, 0, 1]).With("fc2.bias", new float[3]));
        var quantized = CliProcess.Json(0, "quantize", model, "-o", files["b.onnx"], "--data", files.Write("rows.csv", ["a,b,c,largest", .. rows]), "--label",
            "largest");
        Assert.AreEqual(1, quantized.GetProperty("validation").GetProperty("before").GetDouble());
        Assert.IsGreaterThan(0.9, quantized.GetProperty("validation").GetProperty("after").GetDouble());
        Assert.AreEqual("Int8(true)", quantized.GetProperty("to").GetString());
        Assert.Contains("QuantizeLinear", Network.FromOnnx(files["b.onnx"]).Nodes.Select(node => node.Operator));
    }

    /// <summary>What a network of two dense layers makes, before any softmax.</summary>
    private static double[] Outputs(Network network, double[] row)
        => Dense(network, "fc2", Array.ConvertAll(Dense(network, "fc1", row), value => Math.Max(0, value)));

    private static double[] Dense(Network network, string layer, double[] read) => [.. network[$"{layer}.weight"].Values.ToArray().Chunk(read.Length)
        .Zip(network[$"{layer}.bias"].Values.ToArray(), (weights, bias) => bias + weights.Zip(read, (weight, value) => weight * value).Sum())];
}
