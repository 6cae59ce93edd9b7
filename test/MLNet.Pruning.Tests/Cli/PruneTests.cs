using System.Globalization;
using System.Text.Json;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune prune: what it removes, and what it leaves alone.</summary>
[TestClass]
public class PruneTests
{
    [TestMethod]
    public void Half_of_every_layer_goes()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var pruned = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--scope", "layer", "--alignment", "1");
        Assert.AreEqual((8 * 9) + 8 + (2 * 8) + (16 * 8 * 9) + 16 + (144 * 10) + 10 + (10 * 10) + 10,
            pruned.GetProperty("output").GetProperty("parameters").GetInt64());
        Assert.AreEqual((8 * 9 * 100) + (16 * 8 * 9 * 9) + (144 * 10) + (10 * 10), pruned.GetProperty("output").GetProperty("multiplyAdds").GetInt64());
        Assert.AreEqual(new FileInfo(files["b.onnx"]).Length, pruned.GetProperty("output").GetProperty("bytes").GetInt64());
        Assert.AreEqual(new FileInfo(model).Length, pruned.GetProperty("input").GetProperty("bytes").GetInt64());
        CollectionAssert.AreEqual(new[] { 16, 8, 32, 16, 20, 10 }, Widths(pruned).SelectMany(width => new[] { width.Before, width.After }).ToArray());
        Assert.IsFalse(pruned.TryGetProperty("note", out _));

        var aligned = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--scope", "layer", "--alignment", "3");
        Assert.IsTrue(Widths(aligned).All(width => width.After % 3 == 0), aligned.GetRawText());
        StringAssert.Contains(aligned.GetProperty("note").GetString(), "multiple of 3");
    }

    [TestMethod]
    public void What_a_pruning_empties_leaves_out_or_does_not_do_is_a_warning()
    {
        using var files = new CliFiles();
        var blocks = CliProcess.Json(0, "prune", Case.File("se_block"), "-o", files["a.onnx"], "--granularity", "block");
        Assert.Contains(warning => warning.Contains("Nothing was pruned"), Warnings(blocks));
        var rows = CliProcess.Json(0, "prune", Case.File("se_block"), "-o", files["a.onnx"], "--granularity", "row");
        Assert.Contains(warning => warning.Contains("without structures of granularity 'Row'"), Warnings(rows));
        var emptied = CliProcess.Json(0, "prune", Case.File("collapse"), "-o", files["a.onnx"], "--granularity", "weight", "--sparsity", "0.8");
        Assert.Contains(warning => warning.Contains("has nothing left"), Warnings(emptied));
        var kept = CliProcess.Json(0, "prune", Case.File("collapse"), "-o", files["a.onnx"], "--granularity", "weight", "--sparsity", "0.8", "--minimum-kept",
            "0.05");
        Assert.IsEmpty(Warnings(kept));

        static string[] Warnings(JsonElement pruned) => [.. pruned.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!)];
    }

    [TestMethod]
    public void Names_bound_what_goes()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        var only = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--scope", "layer", "--alignment", "1", "--only", "conv1,fc1");
        CollectionAssert.AreEqual(new[] { 8, 32, 10 }, After(only));
        var except = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--scope", "layer", "--alignment", "1", "--except", "conv1");
        CollectionAssert.AreEqual(new[] { 16, 16, 10 }, After(except));
        StringAssert.Contains(CliProcess.Json(1, "prune", model, "-o", files["c.onnx"], "--only", "conf1").GetProperty("error").GetString(), "conf1");

        int[] After(JsonElement pruned)
        {
            var small = Network.FromOnnx(files["b.onnx"]);
            Assert.AreEqual(small.ParameterCount, pruned.GetProperty("output").GetProperty("parameters").GetInt64());
            return [small["conv1.weight"].Shape[0], small["conv2.weight"].Shape[0], small["fc1.weight"].Shape[0]];
        }
    }

    [TestMethod]
    [DataRow("multiply-adds", "multiplyAdds")]
    [DataRow("parameters", "parameters")]
    public void A_share_of_the_cost_goes(string target, string field)
    {
        using var files = new CliFiles();
        var pruned = CliProcess.Json(0, "prune", files.Save("a.onnx", CliFiles.Convolutional()), "-o", files["b.onnx"], "--target", target, "--sparsity", "0.6",
            "--alignment", "1");
        var left = pruned.GetProperty("output").GetProperty(field).GetDouble() / pruned.GetProperty("input").GetProperty(field).GetDouble();
        Assert.IsLessThanOrEqualTo(0.4, left);
        Assert.IsGreaterThan(0.3, left, "no more than it takes");
    }

    [TestMethod]
    public void Single_weights_go_to_zero_and_a_sparse_file_is_smaller()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", Network.Mlp(64, 100, 10).Initialize(1));
        var dense = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--granularity", "weight", "--sparsity", "0.9").GetProperty("output");
        var sparse = CliProcess.Json(0, "prune", model, "-o", files["c.onnx"], "--granularity", "weight", "--sparsity", "0.9", "--sparse")
            .GetProperty("output");
        Assert.AreEqual(new[] { "fc1.weight", "fc2.weight" }.Sum(name => Network.FromOnnx(files["b.onnx"])[name].Values.ToArray().Count(value => value != 0)),
            (int)Math.Round(0.1 * 7400));
        Assert.IsLessThan(dense.GetProperty("bytes").GetInt64() / 2, sparse.GetProperty("bytes").GetInt64());
        CliProcess.Json(0, "verify", files["b.onnx"], files["c.onnx"], "--tolerance", "0");
    }

    [TestMethod]
    public void Granularities_importances_and_scopes_are_those_of_the_library()
    {
        using var files = new CliFiles();
        var network = CliFiles.Convolutional();
        var model = files.Save("a.onnx", network);
        Scope dense = Scope.Network.Only("fc1", "fc2"), lamp = Scope.Distributed(Distribution.Lamp);
        foreach (var (line, options) in new (string, PruningOptions)[]
        {
            ("--granularity 2:4 --only fc1,fc2", new() { Granularity = Granularity.NToM(2, 4), Scope = dense }),
            ("--granularity weightblock(2,4) --sparsity 0.7 --only fc1,fc2",
                new() { Granularity = Granularity.WeightBlock(2, 4), Amount = Amount.Fraction(0.7), Scope = dense }),
            ("--granularity Granularity.Row --importance Magnitude(3) --scope Layer.Except(\"fc2\")",
                new() { Granularity = Granularity.Row, Importance = Importance.Magnitude(3), Scope = Scope.Layer.Except("fc2") }),
            ("--granularity 2x4 --sparsity 0.7 --only fc1,fc2",
                new() { Granularity = Granularity.WeightBlock(2, 4), Amount = Amount.Fraction(0.7), Scope = dense }),
            ("--granularity weight --scope lamp --sparsity 0.8", new() { Amount = Amount.Fraction(0.8), Scope = lamp }),
            ("--granularity weight --importance synflow --sparsity 0.9", new() { Importance = Importance.SynFlow, Amount = Amount.Fraction(0.9) }),
            ("--granularity unit-within-heads --importance geometric-median --alignment 1",
                new() { Granularity = Granularity.UnitWithinHeads, Importance = Importance.GeometricMedian, Alignment = 1 }),
            ("--importance batch-norm --only conv1 --alignment 1",
                new() { Granularity = Granularity.Unit, Importance = Importance.BatchNormScale, Scope = Scope.Network.Only("conv1"), Alignment = 1 }),
        })
        {
            CliProcess.Json(0, ["prune", model, "-o", files["b.onnx"], .. line.Split(' ')]);
            // As it was read: the file's order of values is the network's.
            var (expected, actual) = (Network.FromOnnx(model).Prune(options).Network, Network.FromOnnx(files["b.onnx"]));
            foreach (var parameter in expected.Parameters)
            {
                CollectionAssert.AreEqual(parameter.Values.ToArray(), actual[parameter.Name].Values.ToArray(), $"{line}: {parameter.Name}");
            }
        }
    }

    [TestMethod]
    public void Importances_from_rows_are_measured_on_the_rows_given()
    {
        using var files = new CliFiles();
        // Unit 0 of each pair carries its value, the other's output is read with weight 0: no gradient, though its weights are the larger.
        var network = LargestOfFour();
        var (up, down) = (network["fc1.weight"].Values.ToArray(), network["fc2.weight"].Values.ToArray());
        for (var i = 0; i < 4; i++)
        {
            up[((i + 4) * 4) + i] = 9;
            down[(i * 8) + i + 4] = 0;
        }

        var random = new Random(2);
        var rows = Enumerable.Range(0, 100).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle()).ToArray())
            .Select(values => FormattableString.Invariant($"{values[0]:r},{values[1]:r},{values[2]:r},{values[3]:r},{Array.IndexOf(values, values.Max())}"));
        string[] arguments = ["prune", files.Save("a.onnx", network.With("fc1.weight", up).With("fc2.weight", down)), "-o", files["b.onnx"], "--granularity",
            "neuron", "--alignment", "1",
            "--data", files.Write("rows.csv", ["a,b,c,d,largest", .. rows]), "--label", "largest", "--fine-tune-epochs", "0"];
        var taylor = CliProcess.Json(0, [.. arguments, "--importance", "taylor", "--calibration-rows", "64"]);
        Assert.AreEqual(1.0, taylor.GetProperty("validation").GetProperty("after").GetDouble());
        var magnitude = CliProcess.Json(0, arguments);
        Assert.IsLessThan(0.9, magnitude.GetProperty("validation").GetProperty("after").GetDouble());
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_file()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        byte[] File(string seed)
        {
            CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--importance", "random", "--seed", seed);
            return System.IO.File.ReadAllBytes(files["b.onnx"]);
        }

        CollectionAssert.AreEqual(File("3"), File("3"));
        CollectionAssert.AreNotEqual(File("3"), File("4"));
    }

    [TestMethod]
    public void A_refusal_leaves_the_older_file_and_nothing_beside_it()
    {
        using var files = new CliFiles();
        var model = files.Save("a.onnx", CliFiles.Convolutional());
        File.WriteAllText(files["b.onnx"], "older");
        StringAssert.Contains(CliProcess.Json(1, "prune", model, "-o", files["b.onnx"], "--granularity", "head").GetProperty("error").GetString(), "'Head'");
        StringAssert.Contains(CliProcess.Json(1, "prune", model, "-o", Path.Combine(files["nowhere"], "b.onnx")).GetProperty("error").GetString(), "nowhere");
        Assert.AreEqual("older", File.ReadAllText(files["b.onnx"]));
        CollectionAssert.AreEqual(new[] { "a.onnx", "b.onnx" }, files.Names());
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Rows_measure_and_fine_tune(bool texts)
    {
        using var files = new CliFiles();
        var (model, random) = (files.Save("a.onnx", LargestOfFour()), new Random(1));
        var rows = Enumerable.Range(0, 400).Select(_ =>
        {
            var values = Enumerable.Range(0, 4).Select(_ => random.NextSingle()).ToArray();
            var label = Array.IndexOf(values, values.Max());
            return FormattableString.Invariant($"{values[0]},{values[1]},{(texts ? $"class {"abcd"[label]}" : label)},{values[2]},{values[3]}");
        });
        var data = files.Write("rows.csv", ["first,second,largest,third,fourth", .. rows]);
        var pruned = CliProcess.Json(0, "prune", model, "-o", files["b.onnx"], "--granularity", "neuron", "--alignment", "1", "--data", data, "--label",
            "largest",
            "--schedule", "linear:2", "--fine-tune-epochs", "20", "--learning-rate", "0.01", "--batch-size", "16");
        Assert.AreEqual(1.0, pruned.GetProperty("validation").GetProperty("before").GetDouble(), "the network takes the largest by construction");
        Assert.IsGreaterThan(0.7, pruned.GetProperty("validation").GetProperty("after").GetDouble());
        Assert.AreEqual("accuracy", pruned.GetProperty("validation").GetProperty("metric").GetString());
        Assert.AreEqual(2, pruned.GetProperty("steps").GetArrayLength());
        Assert.AreEqual(4, Network.FromOnnx(files["b.onnx"])["fc1.weight"].Shape[0]);
        StringAssert.Contains(CliProcess.Json(1, "prune", model, "-o", files["b.onnx"], "--data", data, "--label", "smallest").GetProperty("error").GetString(),
            "fourth");
    }

    [TestMethod]
    [DataRow("regression", "R2")]
    [DataRow("binary", "accuracy")]
    public void One_output_is_measured_as_the_task_says(string task, string metric)
    {
        using var files = new CliFiles();
        var (network, random) = (Network.Mlp(2, 4, 1).Initialize(1), new Random(1));
        // 2 (a - b): a number, and the side that a > b.
        network = network.With("fc1.weight", [1, -1, -1, 1, 1, -1, -1, 1]).With("fc1.bias", new float[4]).With("fc2.weight", [1, -1, 1, -1])
            .With("fc2.bias", [0]);
        var rows = Enumerable.Range(0, 200).Select(_ => (A: random.NextSingle(), B: random.NextSingle()))
            .Select(row => FormattableString.Invariant($"{row.A:r},{row.B:r},{(task == "binary" ? row.A > row.B ? 1 : 0 : 2 * (row.A - row.B)):r}"));
        string[] arguments = ["prune", files.Save("a.onnx", network), "-o", files["b.onnx"], "--granularity", "neuron", "--alignment", "1", "--data",
            files.Write("rows.csv", ["a,b,y", .. rows]), "--label", "y",
            "--fine-tune-epochs", "0"];
        StringAssert.Contains(CliProcess.Json(1, arguments).GetProperty("error").GetString(), "--task");
        var validation = CliProcess.Json(0, [.. arguments, "--task", task]).GetProperty("validation");
        Assert.AreEqual(metric, validation.GetProperty("metric").GetString());
        Assert.AreEqual(1.0, validation.GetProperty("before").GetDouble(), 1e-6, "the network computes the label by construction");
        var (other, best) = task == "binary" ? ("AUC", 1.0) : ("RMSE", 0.0);
        validation = CliProcess.Json(0, [.. arguments, "--task", task, "--metric", other.ToLowerInvariant()]).GetProperty("validation");
        Assert.AreEqual(other, validation.GetProperty("metric").GetString());
        Assert.AreEqual(best, validation.GetProperty("before").GetDouble(), 1e-6);
        StringAssert.Contains(CliProcess.Json(2, [.. arguments, "--task", task, "--metric", "acuracy"]).GetProperty("error").GetString(), "'accuracy'");
        StringAssert.Contains(CliProcess.Json(1, [.. arguments, "--task", task, "--metric", task == "binary" ? "MAE" : "AUC"]).GetProperty("error").GetString(),
            metric);
        StringAssert.Contains(CliProcess.Json(2, "prune", files["a.onnx"], "-o", files["b.onnx"], "--metric", "AUC").GetProperty("error").GetString(),
            "--metric needs rows");
    }

    /// <summary>Scripts have these names in them.</summary>
    [TestMethod]
    public void Every_short_name_is_taken()
    {
        string[] granularities =
        [
            "weight", "row", "column", "kernel", "filter", "neuron", "head", "hidden", "group", "unit", "unit-within-heads", "block", "layer", "2:4", "16x1",
        ];
        string[] importances =
        [
            "magnitude", "l2", "random", "synflow", "batch-norm", "geometric-median", "gradient", "taylor", "absolute-taylor", "snip", "grasp", "movement",
            "fisher",
            "diagonal-hessian", "brain-surgeon", "wanda", "activation-mean", "activation-variance", "nonzero-activations", "loss-change",
        ];
        string[] schedules = ["oneshot", "linear:3", "geometric:3", "cubic:3", "iterative:0.3"];
        string[] scopes = ["network", "layer", "lamp", "erdos-renyi", "erdos-renyi-kernel"];
        for (var i = 0; i < importances.Length; i++)
        {
            // Distributions are for weights, and patterns spread themselves.
            var scope = scopes[i % scopes.Length];
            var granularity = scope is "network" or "layer" ? granularities[i % granularities.Length] : "weight";
            string[] line =
            [
                "prune", "nowhere.onnx", "-o", "b.onnx", "--granularity", granularity, "--importance", importances[i], "--scope", scope,
                "--schedule", schedules[i % schedules.Length], "--data", "rows.csv", "--label", "y",
            ];
            StringAssert.Contains(CliProcess.Json(1, line).GetProperty("error").GetString(), "nowhere.onnx", string.Join(' ', line));
        }

        foreach (var granularity in granularities)
        {
            CliProcess.Json(1, "prune", "nowhere.onnx", "-o", "b.onnx", "--granularity", granularity);
        }
    }

    [TestMethod]
    public void A_tolerance_ends_the_pruning_and_one_with_confidence_sooner()
    {
        using var files = new CliFiles();
        var (model, random) = (files.Save("a.onnx", LargestOfFour()), new Random(1));
        var rows = Enumerable.Range(0, 400).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle()).ToArray())
            .Select(values => FormattableString.Invariant($"{values[0]},{values[1]},{values[2]},{values[3]},{Array.IndexOf(values, values.Max())}"));
        string[] arguments =
        [
            "prune", model, "-o", files["b.onnx"], "--granularity", "neuron", "--alignment", "1", "--sparsity", "0.75",
            "--data", files.Write("rows.csv", ["a,b,c,d,y", .. rows]), "--label", "y", "--schedule", "linear:3", "--fine-tune-epochs", "0", "--tolerance",
        ];
        JsonElement[] Steps(string tolerance) => [.. CliProcess.Json(0, [.. arguments, tolerance]).GetProperty("steps").EnumerateArray()];
        var all = Steps("1");
        Assert.IsTrue(all.Length == 3 && all.All(step => step.GetProperty("kept").GetBoolean()));
        // The network gets every row right by construction.
        var loss = (1 - all[0].GetProperty("pruned").GetDouble()).ToString("r", CultureInfo.InvariantCulture);
        Assert.IsTrue(Steps(loss)[0].GetProperty("kept").GetBoolean());
        Assert.IsFalse(Steps($"confident({loss})")[0].GetProperty("kept").GetBoolean(), "on forty rows more may be lost than on them");
        Assert.IsTrue(Steps("confident(0.99, 0.6)")[0].GetProperty("kept").GetBoolean());
        StringAssert.Contains(CliProcess.Json(2, [.. arguments, "confident(0.1, 2)"]).GetProperty("error").GetString(), "[0.5, 1)");
        StringAssert.Contains(CliProcess.Json(2, [.. arguments, "little"]).GetProperty("error").GetString(), "a number, confident(most)");
        var withoutRows = CliProcess.Json(2, "prune", model, "-o", files["b.onnx"], "--tolerance", "0.1");
        StringAssert.Contains(withoutRows.GetProperty("error").GetString(), "--tolerance needs rows");
    }

    /// <summary>Each of four values passes through two units, which the output adds up.</summary>
    private static Network LargestOfFour()
    {
        var network = Network.Mlp(4, 8, 4).Initialize(1);
        var (up, down) = (new float[8 * 4], new float[4 * 8]);
        for (var unit = 0; unit < 8; unit++)
        {
            up[(unit * 4) + (unit % 4)] = 1;
            down[(unit % 4 * 8) + unit] = 1;
        }

        return network.With("fc1.weight", up).With("fc1.bias", new float[8]).With("fc2.weight", down).With("fc2.bias", new float[4]);
    }

    private static IEnumerable<(int Before, int After)> Widths(JsonElement pruned)
        => pruned.GetProperty("widths").EnumerateArray().Select(width => (width.GetProperty("before").GetInt32(), width.GetProperty("after").GetInt32()));
}
