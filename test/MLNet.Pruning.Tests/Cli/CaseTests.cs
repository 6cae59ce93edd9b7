using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;
using MLNet.Pruning.Tests.Networks.Onnx;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>What the tool tells of files that told their users the wrong thing.</summary>
[TestClass]
public class CaseTests
{
    [TestMethod]
    public void Half_precision_is_compared_as_such()
    {
        using var files = new CliFiles();
        CliProcess.Json(0, "prune", Case.File("fp16"), "-o", files["small.onnx"], "--alignment", "1");
        var found = CliProcess.Json(0, "verify", files["small.onnx"], Case.File("fp16"), "--masked");
        Assert.AreEqual(5e-3, found.GetProperty("tolerance").GetDouble());
        CliProcess.Json(1, "verify", files["small.onnx"], Case.File("fp16"));
        Assert.AreEqual(1e-4, CliProcess.Json(0, "verify", Case.File("view_conv"), Case.File("view_conv")).GetProperty("tolerance").GetDouble());
    }

    [TestMethod]
    public void A_model_that_computes_at_random_or_as_in_training_is_said_to()
    {
        using var files = new CliFiles();
        CliProcess.Json(0, "prune", Case.File("train_mode"), "-o", files["small.onnx"], "--alignment", "1");
        var (_, output, _) = CliProcess.Run("verify", files["small.onnx"], Case.File("train_mode"), "--masked");
        StringAssert.Contains(output, "was exported for training: '/1/BatchNormalization' (BatchNormalization), '/3/Dropout' (Dropout)");

        var model = OnnxModels.Model(OnnxModels.Op("RandomUniformLike", ["x"], ["noise"]), OnnxModels.Op("Add", ["x", "noise"], ["y"]));
        OnnxFile.Write(model, files["random.onnx"]);
        (_, output, _) = CliProcess.Run("verify", files["random.onnx"], files["random.onnx"]);
        StringAssert.Contains(output, "it computes at random");
    }

    [TestMethod]
    public void Outputs_that_are_zero_verify_nothing()
    {
        using var files = new CliFiles();
        var network = Network.Sequential([6], Layer.Dense(4, bias: false)).Initialize(1);
        var zero = files.Save("zero.onnx", network.With("fc1.weight", new float[24]));
        var found = CliProcess.Json(1, "verify", zero, zero);
        Assert.IsTrue(found.GetProperty("within").GetBoolean());
        StringAssert.Contains(found.GetProperty("notes")[0].GetString(), "nothing was verified");
        Assert.AreEqual(0, CliProcess.Json(0, "verify", files.Save("a.onnx", network), files.Save("b.onnx", network)).GetProperty("notes").GetArrayLength());
    }

    [TestMethod]
    public void Weights_beside_the_file_are_bytes_too()
    {
        using var files = new CliFiles();
        var before = CliProcess.Json(0, "prune", Case.File("external/model"), "-o", files["small.onnx"], "--granularity", "weight").GetProperty("input")
            .GetProperty("bytes").GetInt64();
        var folder = Path.GetDirectoryName(Case.File("external/model"))!;
        Assert.AreEqual(new FileInfo(Case.File("external/model")).Length + (4 * 82_944), before, "three weights of 82,944 floats together");
        Assert.AreEqual(before, CliProcess.Json(0, "inspect", Case.File("external/model")).GetProperty("bytes").GetInt64());
        Assert.IsLessThan(1000, Math.Abs(before - new FileInfo(files["small.onnx"]).Length), $"in one file as large, from {folder}");
    }

    [TestMethod]
    public void A_name_with_a_comma_is_one_name()
    {
        using var files = new CliFiles();
        string[] zeros = ["prune", Case.File("names_odd"), "-o", files["b.onnx"], "--granularity", "weight"];
        CollectionAssert.AreEqual(new[] { "a b/c,d" }, Pruned([.. zeros, "--only", "a b/c,d"]));
        CollectionAssert.AreEqual(new[] { "gemm", "a b/c,d" }, Pruned([.. zeros, "--only", "gemm", "--only", "a b/c,d"]));
        CollectionAssert.AreEqual(new[] { "gemm", "gemm_2" }, Pruned([.. zeros, "--except", "a b/c,d"]));
        CollectionAssert.AreEqual(new[] { "gemm", "gemm_2" }, Pruned([.. zeros, "--only", "gemm, gemm_2"]));

        static string[] Pruned(string[] arguments) => [.. CliProcess.Json(0, arguments).GetProperty("layers").EnumerateArray()
            .Where(layer => layer.GetProperty("sparsity").GetDouble() > 0).Select(layer => layer.GetProperty("name").GetString()!)];
    }

    [TestMethod]
    public void Sizes_that_do_not_go_together_are_told_in_one_line()
    {
        using var files = new CliFiles();
        var model = OnnxModels.Model(OnnxModels.Op("Add", ["x", "z"], ["y"]));
        model.Graph.Input.Clear();
        model.Graph.Input.AddRange([Open("x", "N", "a"), Open("z", "N", "b")]);
        model.Graph.Output[0] = Open("y", "N", "a");
        OnnxFile.Write(model, files["m.onnx"]);
        var (code, output, errors) = CliProcess.Run("verify", files["m.onnx"], files["m.onnx"], "--size", "a=3", "--size", "b=5");
        Assert.AreEqual(1, code, output);
        Assert.HasCount(1, errors.Trim().Split('\n'), errors);
        StringAssert.Contains(errors, "m.onnx does not run on x of 16 x 3 and z of 16 x 5");
        Assert.IsLessThanOrEqualTo(410, errors.Trim().Length);
        CliProcess.Json(0, "verify", files["m.onnx"], files["m.onnx"], "--size", "a=3", "--size", "b=3");

        static ValueInfoProto Open(string name, params string[] sizes)
        {
            var value = OnnxModels.Value(name);
            value.Type.TensorType.Shape.Dim.Clear();
            value.Type.TensorType.Shape.Dim.AddRange(sizes.Select(size => new TensorShapeProto.Types.Dimension { DimParam = size }));
            return value;
        }
    }

    [TestMethod]
    public void Weights_that_stay_out_are_said_with_their_share()
    {
        using var files = new CliFiles();
        var left = CliProcess.Json(0, "inspect", Case.File("qoperator")).GetProperty("leftOut");
        Assert.AreEqual("MatMulInteger", left.EnumerateArray().Single().GetProperty("operator").GetString());
        var (_, output, _) = CliProcess.Run("prune", Case.File("qoperator"), "-o", files["b.onnx"], "--granularity", "weight");
        StringAssert.Contains(output, "prune the model of floats, then quantize it");
        var error = CliProcess.Json(1, "prune", Case.File("qoperator"), "-o", files["b.onnx"]).GetProperty("error").GetString()!;
        StringAssert.Contains(error, "left out: ");
        Assert.IsLessThanOrEqualTo(400, error.Length);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Rows_leave_an_output_its_name_and_shape(bool softmax)
    {
        // A picture of scores, 10 x 1 x 1, as fully convolutional networks give it.
        using var files = new CliFiles();
        List<NodeProto> nodes = [OnnxModels.Op("Conv", ["x", "w1"], ["h"]), OnnxModels.Op("Relu", ["h"], ["r"]),
            OnnxModels.Op("Conv", ["r", "w2"], [softmax ? "logits" : "y"])];
        if (softmax)
        {
            nodes.Add(OnnxModels.Op("Softmax", ["logits"], ["y"], ("axis", 1L)));
        }

        var model = OnnxModels.Model([.. nodes]);
        model.Graph.Input[0] = OnnxModels.Value("x", 1, 4, 4);
        model.Graph.Output[0] = OnnxModels.Value("y", 3, 1, 1);
        model.Graph.Initializer.AddRange([OnnxModels.Weight("w1", 1, [8, 1, 2, 2]), OnnxModels.Weight("w2", 2, [3, 8, 3, 3])]);
        OnnxFile.Write(model, files["m.onnx"]);
        var random = new Random(3);
        var rows = files.Write("rows.csv", [string.Join(",", Enumerable.Range(0, 16).Select(i => $"p{i}")) + ",class",
            .. Enumerable.Range(0, 60).Select(row => string.Join(",", Enumerable.Range(0, 16).Select(_ => random.Next(10))) + $",{row % 3}")]);
        foreach (var granularity in new[] { "weight", "unit" })
        {
            CliProcess.Json(0, "prune", files["m.onnx"], "-o", files["small.onnx"], "--granularity", granularity, "--alignment", "1", "--data", rows, "--label",
                "class", "--fine-tune-epochs", "1");
            var output = OnnxFile.Read(files["small.onnx"]).Graph.Output.Single();
            Assert.AreEqual("y", output.Name);
            CollectionAssert.AreEqual(new long[] { 3, 1, 1 }, output.Type.TensorType.Shape.Dim.Skip(1).Select(dim => dim.DimValue).ToArray());
            CliProcess.Json(1, "verify", files["small.onnx"], files["m.onnx"]);
        }
    }
}
