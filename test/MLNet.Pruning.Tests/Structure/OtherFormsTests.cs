using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Tests.Cases;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>Forms in which exporters write what is otherwise known: found to be the same structure, and removed equals masked.</summary>
[TestClass]
public class OtherFormsTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("forms").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Queries_keys_and_values_picked_from_one_tensor_are_heads()
    {
        // As vision transformers are exported: rows x steps x 3 x heads x size, and the three picked by index.
        var model = Model(
            Op("MatMul", ["x", "w"], ["all"]), Op("Reshape", ["all", "split"], ["five"]),
            Op("Transpose", ["five"], ["turned"], ("perm", new long[] { 2, 0, 3, 1, 4 })),
            Op("Gather", ["turned", "zero"], ["q"]), Op("Gather", ["turned", "one"], ["k"]), Op("Gather", ["turned", "two"], ["v"]),
            Op("Transpose", ["k"], ["kt"], ("perm", new long[] { 0, 1, 3, 2 })), Op("MatMul", ["q", "kt"], ["scores"]), Op("Softmax", ["scores"], ["shares"]),
            Op("MatMul", ["shares", "v"], ["heads"]), Op("Transpose", ["heads"], ["back"], ("perm", new long[] { 0, 2, 1, 3 })),
            Op("Reshape", ["back", "merged"], ["m"]), Op("MatMul", ["m", "o"], ["y"]));
        model.Graph.Input[0] = Value("x", 5, 12);
        model.Graph.Output[0] = Value("y", 5, 6);
        model.Graph.Initializer.AddRange([
            Weight("w", 1, [12, 72]), Weight("o", 2, [24, 6]), OnnxTensor.FromLongs("split", [5], [0, 5, 3, 4, 6]),
            OnnxTensor.FromLongs("merged", [3], [0, 5, 24]),
            OnnxTensor.FromLongs("zero", [], [0]), OnnxTensor.FromLongs("one", [], [1]), OnnxTensor.FromLongs("two", [], [2])]);
        Check(model, StructureKind.Head, 4, 5, 12);
    }

    [TestMethod]
    public void Heads_that_are_merged_between_their_rotation_and_the_attention_are_heads()
    {
        var model = Model(
            Op("MatMul", ["x", "wq"], ["q"]), Op("MatMul", ["x", "wk"], ["k"]), Op("MatMul", ["x", "wv"], ["v"]),
            Op("RotaryEmbedding", ["q", "cos", "sin"], ["qr"], ("num_heads", 4L)), Op("RotaryEmbedding", ["k", "cos", "sin"], ["kr"], ("num_heads", 4L)),
            Op("Attention", ["qr", "kr", "v"], ["a"], ("q_num_heads", 4L), ("kv_num_heads", 4L), ("is_causal", 1L)), Op("MatMul", ["a", "o"], ["y"]));
        model.OpsetImport[0].Version = 23;
        model.IrVersion = 11;
        model.Graph.Input[0] = Value("x", 5, 12);
        model.Graph.Output[0] = Value("y", 5, 6);
        // The operator wants angles for each row; a batch of one has one.
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 1 };
        model.Graph.Output[0].Type.TensorType.Shape.Dim[0] = new() { DimValue = 1 };
        model.Graph.Initializer.AddRange([
            Weight("wq", 1, [12, 24]), Weight("wk", 2, [12, 24]), Weight("wv", 3, [12, 24]), Weight("o", 4, [24, 6]), Weight("cos", 5, [1, 5, 3]),
            Weight("sin", 6, [1, 5, 3])]);
        Check(model, StructureKind.Head, 4, 5, 12);
    }

    [TestMethod]
    public void Weights_of_integers_that_are_transposed_are_weights_of_their_layer()
    {
        var model = Model(
            Op("DequantizeLinear", ["w1", "s1", "z1"], ["d1"], ("axis", 0L)), Op("Transpose", ["d1"], ["t1"]), Op("MatMul", ["x", "t1"], ["h"]),
            Op("Relu", ["h"], ["r"]),
            Op("DequantizeLinear", ["w2", "s2", "z2"], ["d2"]), Op("Transpose", ["d2"], ["t2"]), Op("MatMul", ["r", "t2"], ["y"]));
        model.Graph.Input[0] = Value("x", 8);
        model.Graph.Output[0] = Value("y", 4);
        model.Graph.Initializer.AddRange([
            Integers("w1", 1, [16, 8], DataType.Int8), OnnxTensor.FromFloats("s1", [16], [.. Enumerable.Range(1, 16).Select(i => i / 64f)]),
            OnnxTensor.FromLongs("z1", [16], new long[16], DataType.Int8),
            Integers("w2", 2, [4, 16], DataType.Uint8), OnnxTensor.FromFloats("s2", [], [0.02f]), OnnxTensor.FromLongs("z2", [], [100], DataType.Uint8)]);
        Check(model, StructureKind.Neuron, 16, 8);
    }

    [TestMethod]
    public void A_weight_under_a_mask_is_the_weight_of_its_layer()
    {
        var model = Model(Op("Mul", ["w", "m"], ["masked"]), Op("MatMul", ["x", "masked"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "o"], ["y"]));
        model.Graph.Input[0] = Value("x", 8);
        model.Graph.Output[0] = Value("y", 4);
        model.Graph.Initializer.AddRange([
            Weight("w", 1, [8, 16]), OnnxTensor.FromFloats("m", [8, 16], [.. Enumerable.Range(0, 128).Select(i => i % 3 == 0 ? 0f : 1)]),
            Weight("o", 2, [16, 4])]);
        Check(model, StructureKind.Neuron, 16, 8);
    }

    [TestMethod]
    public void A_mask_of_a_dropout_that_the_graph_gives_back_stays_an_output()
    {
        var model = Model(Op("MatMul", ["x", "w"], ["h"]), Op("Dropout", ["h"], ["d", "kept"]), Op("MatMul", ["d", "o"], ["y"]));
        model.Graph.Input[0] = Value("x", 8);
        model.Graph.Output[0] = Value("y", 4);
        model.Graph.Output.Add(Value("kept", 16));
        model.Graph.Output[1].Type.TensorType.ElemType = (int)DataType.Bool;
        model.Graph.Initializer.AddRange([Weight("w", 1, [8, 16]), Weight("o", 2, [16, 4])]);
        var network = Network.FromOnnx(Write(model));
        var saved = Path.Combine(_folder, "saved.onnx");
        network.SaveOnnx(saved);
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(saved);
        Assert.AreEqual(typeof(bool), session.OutputMetadata["kept"].ElementType);
        StringAssert.Contains(string.Join('\n', network.Groups().Reasons()), "it is a dimension of the network's output 'kept'");
    }

    [TestMethod]
    public void Running_statistics_that_the_graph_gives_back_stay_outputs()
    {
        var model = Model(Op("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], ["y", "m", "v"], ("training_mode", 1L)));
        model.Graph.Input[0] = Value("x", 6);
        model.Graph.Output[0] = Value("y", 6);
        var statistics = new[] { "m", "v" }.Select(name => new ValueInfoProto { Name = name,
            Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } });
        model.Graph.Output.AddRange(statistics);
        model.Graph.Initializer.AddRange([Weight("scale", 1, [6]), Weight("shift", 2, [6]), Weight("mean", 3, [6]),
            OnnxTensor.FromFloats("variance", [6], [1, 2, 3, 4, 5, 6])]);
        var path = Write(model);
        var saved = Path.Combine(_folder, "saved.onnx");
        Network.FromOnnx(path).SaveOnnx(saved);
        var rows = new[] { new ZooInput("x", ["N", "6"], "float", []).Draw(new Random(7), batch: 3) };
        var (expected, actual) = (Reference.Run(path, rows), Reference.Run(saved, rows));
        foreach (var output in new[] { "y", "m", "v" })
        {
            CollectionAssert.AreEqual(expected[output].Values, actual[output].Values, output);
        }
    }

    private void Check(ModelProto model, StructureKind kind, int groups, params int[] row)
    {
        var path = Write(model);
        var network = Network.FromOnnx(path);
        var structure = network.Groups();
        Assert.AreEqual((kind, groups), (structure.Families.Single().Kind, structure.Count), structure.ToString());
        // Magnitudes of what makes them and of what reads them.
        Assert.IsLessThan(network.ParameterCount, network.Prune(Amount.Fraction(0.5), granularity: Granularity.Unit).Network.ParameterCount);
        var rows = model.Graph.Input[0].Type.TensorType.Shape.Dim[0].HasDimValue ? "1" : "N";
        var zoo = new ZooModel("form", path, [new("x", [rows, .. row.Select(size => $"{size}")], "float", [])], ["y"], true);
        RemovalExactnessTests.Compare(zoo, network, [structure[0], structure[2]]);
    }

    private static TensorProto Integers(string name, int seed, long[] dims, DataType type)
    {
        var random = new Random(seed);
        var least = type == DataType.Int8 ? -128 : 0;
        return OnnxTensor.FromLongs(name, dims, [.. Enumerable.Range(0, (int)(dims[0] * dims[1])).Select(_ => (long)random.Next(least, 128))], type);
    }

    private string Write(ModelProto model)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }
}
