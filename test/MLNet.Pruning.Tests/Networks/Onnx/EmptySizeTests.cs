using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cli;
using MLNet.Pruning.Tests.Hostile;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Inputs of size 0, which is a size, and of size -1, which is none: as ONNX Runtime reads them.</summary>
[TestClass]
public class EmptySizeTests
{
    private static readonly NodeProto[] s_operators =
    [
        OnnxModels.Op("Gather", ["r", "first"], ["y"], ("axis", 1L)), OnnxModels.Op("Gather", ["r", "both"], ["y"], ("axis", 1L)),
        OnnxModels.Op("Gather", ["r", "first"], ["y"], ("axis", 2L)), OnnxModels.Op("Gather", ["r", "none"], ["y"], ("axis", 1L)),
        OnnxModels.Op("Slice", ["r", "zero", "one", "one"], ["y"]), OnnxModels.Op("Split", ["r"], ["y"], ("axis", 1L), ("num_outputs", 1L)),
        OnnxModels.Op("Concat", ["r", "r"], ["y"], ("axis", 1L)),
        OnnxModels.Op("Reshape", ["r", "copy"], ["y"]), OnnxModels.Op("Reshape", ["r", "rest"], ["y"]), OnnxModels.Op("Reshape", ["r", "flat"], ["y"]),
        OnnxModels.Op("Reshape", ["r", "zeros"], ["y"], ("allowzero", 1L)), OnnxModels.Op("Flatten", ["r"], ["y"]),
        OnnxModels.Op("Flatten", ["r"], ["y"], ("axis", 2L)),
        OnnxModels.Op("Transpose", ["r"], ["y"], ("perm", new long[] { 2, 1, 0 })), OnnxModels.Op("Unsqueeze", ["r", "one"], ["y"]),
        OnnxModels.Op("Pad", ["r", "wider"], ["y"]), OnnxModels.Op("Softmax", ["r"], ["y"], ("axis", -1L)),
        OnnxModels.Op("ReduceSum", ["r", "one"], ["y"]), OnnxModels.Op("ReduceMean", ["r"], ["y"], ("axes", new long[] { 1 })),
        OnnxModels.Op("ReduceMax", ["r"], ["y"], ("axes", new long[] { 0 })), OnnxModels.Op("Add", ["r", "row"], ["y"]),
        OnnxModels.Op("MatMul", ["r", "six"], ["y"]), OnnxModels.Op("MatMul", ["r", "four"], ["y"]), OnnxModels.Op("GlobalAveragePool", ["r"], ["y"]),
        OnnxModels.Op("MaxPool", ["r"], ["y"], ("kernel_shape", new long[] { 2 })),
        OnnxModels.Op("LogSoftmax", ["r"], ["y"]), OnnxModels.Op("Sigmoid", ["r"], ["y"]), OnnxModels.Op("Squeeze", ["r"], ["y"]),
    ];

    [TestMethod]
    [DataRow("no rows", "0 4", 0L, "0 x 4")]
    [DataRow("no columns", "N 0", 0L, "N x 0")]
    [DataRow("neither", "0 0", 0L, "0 x 0")]
    [DataRow("no past", "N 0 4", 12L, "N x 0 x 4")]
    [DataRow("no images", "0 3 5 5", 729L, "0 x 3 x 5 x 5")]
    [DataRow("flattened", "N 0 4", 0L, "N x 0 x 4")]
    public void A_size_of_0_is_a_size(string kind, string dims, long multiplyAdds, string shown)
    {
        var model = Model(kind, dims);
        var network = Read(model);
        Assert.AreEqual(shown, TensorInfo.Dimensions(network.Inputs[^1].Shape));
        Assert.AreEqual(multiplyAdds, NetworkCost.Of(network).Total.MultiplyAdds);
        Assert.IsTrue(LaterStages.Run(model.ToByteArray(), "m"));

        var before = Outputs(model, rows: 2);
        var pruned = network.Prune(Amount.Fraction(0.5));
        foreach (var (written, same) in new[] { (OnnxWriter.Write(network), true), (OnnxWriter.Write(new Network(network.Parts with { AsRead = false })), true),
            (OnnxWriter.Write(pruned.Network), false) })
        {
            CollectionAssert.AreEqual(model.Graph.Input.Select(Sizes).ToArray(), written.Graph.Input.Select(Sizes).ToArray());
            var after = Outputs(written, rows: 2);
            Assert.AreEqual(before.Shape, after.Shape);
            if (same)
            {
                CollectionAssert.AreEqual(before.Values, after.Values);
            }
        }

        // What ONNX Runtime takes as the size, it does not take as open.
        Assert.ThrowsExactly<OnnxRuntimeException>(() => Outputs(model, rows: 2, instead: 1));
    }

    [TestMethod]
    [DataRow("0 4 6")]
    [DataRow("N 0 4")]
    [DataRow("N 4 0")]
    public void Every_operator_takes_what_ONNX_Runtime_takes(string dims)
    {
        List<string> wrong = [], taken = [];
        foreach (var op in s_operators)
        {
            var model = OnnxModels.Model(OnnxModels.Op("Relu", ["x"], ["r"]), op);
            model.Graph.Input[0] = Value("x", dims.Split(' '));
            model.Graph.Output[0].Type.TensorType.Shape = null;
            model.Graph.Initializer.Add(
            [
                OnnxTensor.FromLongs("first", [], [0]), OnnxTensor.FromLongs("both", [2], [0, 1]), OnnxTensor.FromLongs("none", [0], []),
                OnnxTensor.FromLongs("zero", [1], [0]), OnnxTensor.FromLongs("one", [1], [1]),
                OnnxTensor.FromLongs("copy", [2], [0, 0]), OnnxTensor.FromLongs("rest", [2], [0, -1]), OnnxTensor.FromLongs("flat", [1], [-1]),
                OnnxTensor.FromLongs("zeros", [4], [5, 0, 0, 2]), OnnxTensor.FromLongs("wider", [6], [0, 1, 0, 0, 0, 0]),
                OnnxModels.Weight("row", 1, [1]), OnnxModels.Weight("six", 2, [6, 3]), OnnxModels.Weight("four", 2, [4, 3]),
            ]);
            (string Shape, float[] Values)? before;
            try
            {
                before = Outputs(model, rows: 2);
            }
            catch (OnnxRuntimeException)
            {
                before = null;
            }

            try
            {
                var accepted = LaterStages.Run(model.ToByteArray(), "m");
                if (before is { } expected)
                {
                    Assert.IsTrue(accepted, "refused");
                    taken.Add(op.OpType);
                    foreach (var asRead in new[] { true, false })
                    {
                        var after = Outputs(OnnxWriter.Write(new Network(Read(model).Parts with { AsRead = asRead })), rows: 2);
                        Assert.AreEqual(expected.Shape, after.Shape);
                        CollectionAssert.AreEqual(expected.Values, after.Values);
                    }
                }
            }
            catch (Exception e)
            {
                wrong.Add($"{op.OpType} of {string.Join(", ", op.Input)}, by ONNX Runtime {before?.Shape ?? "refused"}: {e.Message}");
            }
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
        Assert.IsGreaterThan(s_operators.Length / 2, taken.Count, string.Join(' ', taken));
    }

    [TestMethod]
    [DataRow("no rows", "-1 4", "N x 4")]
    [DataRow("flattened", "N -1 4", "N x d2 x 4")]
    public void A_size_of_minus_1_is_open(string kind, string dims, string shown)
    {
        var model = Model(kind, dims);
        var network = Read(model);
        Assert.AreEqual(shown, TensorInfo.Dimensions(network.Input.Shape));
        CollectionAssert.AreEqual(Outputs(model, rows: 2, instead: 1).Values, Outputs(OnnxWriter.Write(network), rows: 2, instead: 1).Values);

        // It has a name, by which it is given a size.
        var name = network.Graph.Symbols.Name(network.Input.Shape.First(size => size < (dims[0] == 'N' ? -1 : 0)));
        OpenSizes.Close(model, new Dictionary<string, int> { [name] = 1 }, "m");
        Assert.AreEqual(dims.Replace("-1", "1"), Sizes(model.Graph.Input[0]));
    }

    [TestMethod]
    public void The_tool_takes_what_has_no_values_or_says_why_not()
    {
        using var files = new CliFiles();
        foreach (var (kind, dims, verified) in new[] { ("no rows", "0 4", "The model reads 'x', 0 x 4: it has no rows, so there is nothing to run it on."),
            ("no columns", "N 0", null), ("no past", "N 0 4", null) })
        {
            var (model, small) = (files["model.onnx"], files["small.onnx"]);
            File.WriteAllBytes(model, Model(kind, dims).ToByteArray());
            Assert.AreEqual(0, CliProcess.Run("inspect", model).ExitCode);
            foreach (var arguments in new string[][] { ["--granularity", "weight"], [] })
            {
                var (pruned, _, why) = CliProcess.Run(["prune", model, "-o", small, .. arguments]);
                Assert.IsTrue(pruned == 0 || why.TrimEnd().Split('\n').Length == 1, why);
            }

            var (code, output, errors) = CliProcess.Run("verify", model, model);
            Assert.AreEqual(verified is null ? 0 : 1, code, output + errors);
            StringAssert.Contains(errors, verified ?? "");
            (code, _, errors) = CliProcess.Run("bench", model, model, "--rounds", "1");
            Assert.AreEqual(verified is null ? 0 : 1, code, errors);
            StringAssert.Contains(errors, verified ?? "");
        }
    }

    [TestMethod]
    public void No_column_is_read_as_what_has_no_values()
    {
        var ml = new MLContext(1);
        foreach (var (dims, shown) in new[] { ("0 4", "'x' is 0 x 4"), ("N 0", "'x' is N x 0") })
        {
            var network = Read(Model(dims == "N 0" ? "no columns" : "no rows", dims));
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
                ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network })).Message, shown);
        }
    }

    /// <summary>A weight of 3 columns, and a bias, over the last input's dimensions.</summary>
    private static ModelProto Model(string kind, string dims)
    {
        var sizes = dims.Split(' ');
        var model = kind switch
        {
            "no past" => OnnxModels.Model(OnnxModels.Op("Concat", ["now", "x"], ["all"], ("axis", 1L)), OnnxModels.Op("MatMul", ["all", "w"], ["m"]),
                OnnxModels.Op("Add", ["m", "b"], ["y"])),
            "no images" => OnnxModels.Model(OnnxModels.Op("Conv", ["x", "w", "b"], ["y"])),
            "flattened" => OnnxModels.Model(OnnxModels.Op("Flatten", ["x"], ["f"]), OnnxModels.Op("Relu", ["f"], ["r"]),
                OnnxModels.Op("MatMul", ["r", "w"], ["m"]), OnnxModels.Op("Add", ["m", "b"], ["y"])),
            _ => OnnxModels.Model(OnnxModels.Op("MatMul", ["x", "w"], ["m"]), OnnxModels.Op("Add", ["m", "b"], ["y"])),
        };
        model.Graph.Input.Clear();
        if (kind == "no past")
        {
            model.Graph.Input.Add(Value("now", "N", "1", "4"));
        }

        model.Graph.Input.Add(Value("x", sizes));
        model.Graph.Output[0].Type.TensorType.Shape = null;
        model.Graph.Initializer.Add(OnnxModels.Weight("w", 1,
            kind == "no images" ? [3, 3, 3, 3] : kind == "flattened" ? [Math.Abs(long.Parse(sizes[1])) * 4, 3] : [long.Parse(sizes[^1]), 3]));
        model.Graph.Initializer.Add(OnnxModels.Weight("b", 2, [3]));
        return model;
    }

    private static ValueInfoProto Value(string name, params string[] sizes)
    {
        var value = OnnxModels.Value(name);
        value.Type.TensorType.Shape = new()
        {
            Dim = { sizes.Select(size => long.TryParse(size, out var number) ? new TensorShapeProto.Types.Dimension { DimValue = number }
                : new TensorShapeProto.Types.Dimension { DimParam = size }) },
        };
        return value;
    }

    private static string Sizes(ValueInfoProto info) => string.Join(' ',
        info.Type.TensorType.Shape.Dim.Select(dim => dim.HasDimValue ? $"{dim.DimValue}" : dim.DimParam));

    private static Network Read(ModelProto model) => OnnxImport.Read(OnnxFile.Parse(model.ToByteArray(), "m"), "m", null);

    /// <summary>What ONNX Runtime computes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">Size of the open batch.</param>
    /// <param name="instead">What sizes of 0 and -1 are taken as.</param>
    private static (string Shape, float[] Values) Outputs(ModelProto model, int rows, int instead = 0)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var results = session.Run([.. model.Graph.Input.Select(input =>
        {
            int[] shape = [.. Sizes(input).Split(' ').Select(size =>
                int.TryParse(size, out var number) ? number > 0 ? number : instead : size == "N" ? rows : instead)];
            return NamedOnnxValue.CreateFromTensor(input.Name, new DenseTensor<float>(Enumerable.Range(1, shape.Aggregate(1, (product, size) => product * size))
                .Select(i => (float)i).ToArray(), shape));
        })]);
        var tensor = results[0].AsTensor<float>();
        return (string.Join(' ', tensor.Dimensions.ToArray()), tensor.ToArray());
    }
}
