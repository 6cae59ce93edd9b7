using System.Globalization;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune evaluate: figures by hand, and refusals by name.</summary>
[TestClass]
public class EvaluateTests
{
    [TestMethod]
    public void Rows_are_measured_by_the_metrics_that_are_named()
    {
        using var files = new CliFiles();
        // The class is that of the larger of two features, and the network says the other one of every fourth row.
        var same = files.Save("same.onnx", Network.Sequential([2], Layer.Dense(2)).Initialize(1).With("fc1.weight", [1, 0, 0, 1]).With("fc1.bias", [0, 0]));
        var other = files.Save("other.onnx", Network.Sequential([2], Layer.Dense(2)).Initialize(1).With("fc1.weight", [0, 1, 1, 0]).With("fc1.bias", [0, 0]));
        var rows = files.Write("rows.csv", ["a,b,y", .. Enumerable.Range(0, 20).Select(i => $"{i % 2},{1 - i % 2},{(i % 4 == 0 ? 0 : 1 - i % 2)}")]);
        var models = CliProcess.Json(0, "evaluate", same, other, "--data", rows, "--label", "y", "--metrics",
            "accuracy,macro-recall,parameters,accuracy under Shift(0, 0, 1, 2),latency-p95(4)").GetProperty("models").EnumerateArray().ToArray();
        Assert.AreEqual(same, models[0].GetProperty("file").GetString());
        var found = models.Select(model => model.GetProperty("metrics").EnumerateArray().ToDictionary(metric => metric.GetProperty("name").GetString()!))
            .ToArray();
        CollectionAssert.AreEqual(new[] { "accuracy", "macro-recall", "parameters", "accuracy under Shift(0, 0, 1, 2)", "latency-p95(4)" },
            found[0].Keys.ToArray());
        double Value(int model, string name) => found[model][name].GetProperty("value").GetDouble();
        // Odd rows are of class 0 and right; of the even ones, those of a multiple of four are not.
        Assert.AreEqual(0.75, Value(0, "accuracy"), 1e-12);
        Assert.AreEqual(0.25, Value(1, "accuracy"), 1e-12);
        Assert.AreEqual((10.0 / 15 + 1) / 2, Value(0, "macro-recall"), 1e-12);
        Assert.AreEqual(Value(0, "accuracy"), Value(0, "accuracy under Shift(0, 0, 1, 2)"));
        Assert.AreEqual(6, Value(0, "parameters"));
        Assert.AreEqual("lower", found[0]["parameters"].GetProperty("better").GetString());
        Assert.AreEqual("ms", found[0]["latency-p95(4)"].GetProperty("unit").GetString());
    }

    [TestMethod]
    public void Without_rows_the_network_is_counted_and_timed()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var counted = CliProcess.Json(0, "evaluate", model).GetProperty("models")[0].GetProperty("metrics").EnumerateArray()
            .ToDictionary(metric => metric.GetProperty("name").GetString()!, metric => metric.GetProperty("value").GetDouble());
        CollectionAssert.AreEqual(new[] { "sparsity", "parameters", "multiply-adds", "file-size" }, counted.Keys.ToArray());
        Assert.AreEqual(new FileInfo(model).Length, counted["file-size"]);
        var said = CliProcess.Run("evaluate", model, "--metrics", "rows-per-second", "--metrics", "energy(65),carbon(230, 65)").Output;
        StringAssert.Contains(said, "rows-per-second");
        StringAssert.Contains(said, "230 g a kWh");
    }

    [TestMethod]
    public void The_table_fits_eighty_columns()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Mlp(2, 4, 3).Initialize(1));
        var rows = files.Write("rows.csv", ["a,b,y", .. Enumerable.Range(0, 9).Select(i => $"{i},{9 - i},{i % 3}")]);
        foreach (var metrics in new[] { "accuracy,macro-AUC,weighted-precision,file-size", "rows-per-second(32),latency-p99.9(32),peak-memory,energy,carbon" })
        {
            // Below the table there is what is to be said of each, as long as that is.
            var lines = CliProcess.Run("evaluate", model, model, "--data", rows, "--label", "y", "--metrics", metrics).Output.Split('\n')
                .TakeWhile(line => !line.Contains(": ")).ToArray();
            Assert.IsGreaterThan(6, lines.Length);
            Assert.IsLessThanOrEqualTo(80, lines.Max(line => line.TrimEnd().Length));
        }
    }

    [TestMethod]
    public void Gaps_are_against_the_rows_of_training()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Sequential([2], Layer.Dense(2)).Initialize(1).With("fc1.weight", [1, 0, 0, 1]).With("fc1.bias", [0, 0]));
        var right = files.Write("right.csv", "a,b,y", "1,0,0", "0,1,1");
        var half = files.Write("half.csv", "a,b,y", "1,0,0", "0,1,0");
        var gap = CliProcess.Json(0, "evaluate", model, "--data", half, "--label", "y", "--training", right, "--metrics", "gap of accuracy");
        Assert.AreEqual(0.5, gap.GetProperty("models")[0].GetProperty("metrics")[0].GetProperty("value").GetDouble(), 1e-12);
        StringAssert.Contains(CliProcess.Json(1, "evaluate", model, "--data", half, "--label", "y", "--metrics", "gap of accuracy").GetProperty("error")
            .GetString(), "rows that the network was trained on");
    }

    [TestMethod]
    public void Images_are_compared_with_targets()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Sequential([2], Layer.Dense(2)).Initialize(1).With("fc1.weight", [1, 0, 0, 1]).With("fc1.bias", [0, 0]));
        string Images(string name, double by) => files.Write(name, ["p,q", .. Enumerable.Range(0, 4).Select(i
            => string.Create(CultureInfo.InvariantCulture, $"{i * 0.1 + by},{i * i * 0.1 + by}"))]);
        var (rows, near) = (Images("rows.csv", 0), Images("near.csv", 0.1));
        var metrics = CliProcess.Json(0, "evaluate", model, "--data", rows, "--targets", near, "--features", model, "--metrics", "psnr,fid")
            .GetProperty("models")[0].GetProperty("metrics");
        Assert.AreEqual(20, metrics[0].GetProperty("value").GetDouble(), 1e-4);
        // The same but for a shift by 0.1 of both features.
        Assert.AreEqual(0.02, metrics[1].GetProperty("value").GetDouble(), 1e-5);
        StringAssert.Contains(CliProcess.Json(1, "evaluate", model, "--data", rows, "--targets", files.Write("few.csv", "p,q", "1,2"), "--metrics", "psnr")
            .GetProperty("error").GetString(), "4 rows");
        StringAssert.Contains(CliProcess.Json(2, "evaluate", model, "--data", rows, "--targets", near, "--metrics", "fid").GetProperty("error").GetString(),
            "--features");
    }

    [TestMethod]
    public void Wrong_usage_is_told()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Mlp(2, 4, 3).Initialize(1));
        var rows = files.Write("rows.csv", "a,b,y", "1,0,0", "0,1,1", "0,1,2");
        string Error(int code, params string[] arguments) => CliProcess.Json(code, ["evaluate", .. arguments]).GetProperty("error").GetString()!;
        StringAssert.Contains(Error(2, model, "--metrics", "acuracy"), "'accuracy'");
        StringAssert.Contains(Error(1, model, "--metrics", "accuracy"), "'accuracy' needs rows");
        StringAssert.Contains(Error(2, model, "--data", rows), "--label");
        StringAssert.Contains(Error(2, model, "--training", rows), "--data");
        StringAssert.Contains(Error(1, model, "--data", rows, "--label", "y", "--metrics", "top-3"), "3 classes");
        StringAssert.Contains(Error(1, model, "--data", rows, "--label", "y", "--metrics", "R2"), "does not fit");
        StringAssert.Contains(Error(2, model, "--targets", rows), "--targets goes with --data");
    }
}
