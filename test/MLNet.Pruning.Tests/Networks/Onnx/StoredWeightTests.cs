using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>How a file holds its weights survives pruning: their types, what shares them, the room they take.</summary>
[TestClass]
public class StoredWeightTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stored").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    public static IEnumerable<object[]> Cases => Case.In("").Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void No_file_grows_when_nothing_goes(string name)
    {
        var original = OnnxFile.Read(Case.File(name));
        var network = Network.FromOnnx(Case.File(name));
        if (!network.Layers.Any(layer => layer.Weights.Length > 0))
        {
            return;
        }

        // Masks make every parameter a new one with the same values.
        var path = Save(network.Prune(Amount.Fraction(0)).Network, "same.onnx");
        Assert.IsLessThanOrEqualTo(1.05, (double)new FileInfo(path).Length / new FileInfo(Case.File(name)).Length, "bytes");
        var types = original.Graph.Initializer.ToLookup(tensor => tensor.Name, tensor => tensor.DataType);
        foreach (var tensor in OnnxFile.Read(path).Graph.Initializer.Where(tensor => types.Contains(tensor.Name)))
        {
            Assert.AreEqual(types[tensor.Name].First(), tensor.DataType, tensor.Name);
        }
    }

    [TestMethod]
    [DataRow(TensorType.Float16)]
    [DataRow(TensorType.BFloat16)]
    [DataRow(TensorType.Double)]
    public void Weights_that_the_graph_casts_keep_their_type_when_structure_goes(TensorType type)
    {
        var model = Model(
            Op("Cast", ["w1"], ["w1_float"], ("to", 1L)), Op("MatMul", ["x", "w1_float"], ["h"]), Op("Cast", ["b1"], ["b1_float"], ("to", 1L)),
            Op("Add", ["h", "b1_float"], ["s"]),
            Op("Relu", ["s"], ["r"]), Op("Cast", ["w2"], ["w2_float"], ("to", 1L)), Op("Transpose", ["w2_float"], ["w2_t"]),
            Op("MatMul", ["r", "w2_t"], ["y"]));
        model.Graph.Input[0] = Value("x", 64);
        model.Graph.Output[0] = Value("y", 8);
        model.Graph.Initializer.AddRange([Weight("w1", 1, [64, 128], (DataType)type), Weight("b1", 2, [128], (DataType)type),
            Weight("w2", 3, [8, 128], (DataType)type)]);
        var network = Read(model);
        var half = network.Groups().Where((_, i) => i % 2 == 0).ToArray();
        Assert.HasCount(64, half);
        var (small, masked) = (Save(network.Remove(half), "small.onnx"), Save(network.Mask(half), "masked.onnx"));
        Close.AreEqual(Run(masked, 64), Run(small, 64), 1e-5, "removed against masked");
        var tensors = OnnxFile.Read(small).Graph.Initializer.Where(tensor => tensor.Dims.Aggregate(1L, (a, b) => a * b) >= 64).ToArray();
        Assert.HasCount(3, tensors);
        Assert.IsTrue(tensors.All(tensor => tensor.DataType == (int)type));
        CollectionAssert.AreEqual(Run(small, 64), Run(Save(Network.FromOnnx(small), "again.onnx"), 64), "read again");

        // Weights alone: the file keeps its graph, and values are put back through the transpose.
        var zeros = Save(network.Prune(Amount.Fraction(0.5)).Network, "zeros.onnx");
        CollectionAssert.AreEqual(model.Graph.Node.Select(node => node.OpType).ToArray(),
            OnnxFile.Read(zeros).Graph.Node.Select(node => node.OpType).ToArray());
        CollectionAssert.AreEqual(Run(Save(Inner(network.Prune(Amount.Fraction(0.5)).Network), "inner.onnx"), 64), Run(zeros, 64));
    }

    [TestMethod]
    [DataRow("Transpose")]
    [DataRow("Identity")]
    [DataRow("Cast")]
    [DataRow("Reshape")]
    public void A_weight_that_two_layers_read_is_one_parameter(string view)
    {
        // An autoencoder with tied weights, through each way in which a graph may read a weight in another form.
        var transposed = view == "Transpose";
        NodeProto[] nodes = view switch
        {
            "Transpose" => [Op("Transpose", ["w"], ["v"])],
            "Identity" => [Op("Identity", ["w"], ["v"])],
            "Cast" => [Op("Cast", ["w"], ["wide"], ("to", 11L)), Op("Cast", ["wide"], ["v"], ("to", 1L))],
            _ => [Op("Unsqueeze", ["w", "axis"], ["u"]), Op("Reshape", ["u", "shape"], ["v"])],
        };
        var model = Model([Op("Gemm", ["x", "w"], ["h"]), Op("Tanh", ["h"], ["a"]), .. nodes, Op("Gemm", ["a", "v"], ["y"], ("transB", transposed ? 0L : 1))]);
        model.Graph.Input[0] = Value("x", 24);
        model.Graph.Output[0] = Value("y", 24);
        model.Graph.Initializer.AddRange([Weight("w", 1, [24, 40]), OnnxTensor.FromLongs("axis", [1], [0]), OnnxTensor.FromLongs("shape", [2], [24, 40])]);
        var network = Read(model);
        Assert.AreEqual(24 * 40, network.ParameterCount);
        Assert.AreEqual(24 * 40, NetworkCost.Of(network).Total.Parameters);
        Assert.AreEqual(2 * 24 * 40, NetworkCost.Of(network).Total.MultiplyAdds);

        // Pruned once, for both.
        var pruned = network.Prune(Amount.Fraction(0.5)).Network;
        Assert.AreEqual(24 * 40 / 2, NetworkCost.Of(pruned).Total.NonZeros);
        var zeroed = model.Clone();
        zeroed.Graph.Initializer[0] = OnnxTensor.FromFloats("w", [24, 40], WithoutHalf(OnnxTensor.ToFloats(model.Graph.Initializer[0], null)));
        CollectionAssert.AreEqual(Run(Write(zeroed), 24), Run(Save(pruned, "zeros.onnx"), 24));

        // Removed in both, written once.
        var half = network.Groups().Where((_, i) => i % 2 == 0).ToArray();
        Assert.HasCount(20, half);
        var small = Save(network.Remove(half), "small.onnx");
        Close.AreEqual(Run(Save(network.Mask(half), "masked.onnx"), 24), Run(small, 24), 1e-5, "removed against masked");
        Assert.AreEqual(24 * 20, OnnxFile.Read(small).Graph.Initializer.Where(tensor => tensor.DataType == (int)DataType.Float).Sum(OnnxTensor.Count));
    }

    [TestMethod]
    public void An_embedding_that_the_output_layer_shares_is_trained_as_one()
    {
        var network = Network.FromOnnx(Case.File("tied_embedding"));
        Assert.AreEqual(14_048, network.ParameterCount, "15,328 values in layers, 1,280 of them read twice");
        var small = Save(network.Remove([.. network.Groups().Where((_, i) => i % 2 == 0)]), "small.onnx");
        Assert.IsLessThan(new FileInfo(Case.File("tied_embedding")).Length, new FileInfo(small).Length);
        Assert.AreEqual(Network.FromOnnx(small).ParameterCount, network.Remove([.. network.Groups().Where((_, i) => i % 2 == 0)]).ParameterCount);
    }

    [TestMethod]
    public void Sparse_weights_and_weights_written_into_the_graph_stay_where_they_are()
    {
        float[] mostly = [.. Enumerable.Range(0, 64 * 32).Select(i => i % 40 == 0 ? i / 100f : 0)];
        var constant = Op("Constant", [], ["w2"]);
        constant.Attribute.Add(new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = Weight("", 2, [32, 8]) });
        var model = Model(Op("MatMul", ["x", "w1"], ["h"]), constant, Op("MatMul", ["h", "w2"], ["y"]));
        model.Graph.Input[0] = Value("x", 64);
        model.Graph.Output[0] = Value("y", 8);
        model.Graph.SparseInitializer.Add(OnnxTensor.ToSparse("w1", [64, 32], mostly));
        var pruned = Save(Read(model).Prune(Amount.Fraction(0.98), scope: Scope.Layer).Network, "pruned.onnx");
        var written = OnnxFile.Read(pruned).Graph;
        Assert.AreEqual("w1", written.SparseInitializer.Single().Values.Name);
        Assert.AreEqual(1, written.Node.Count(node => node.OpType == "Constant"));
        Assert.IsEmpty(written.Initializer);
        Assert.IsLessThanOrEqualTo(1.01, (double)new FileInfo(pruned).Length / new FileInfo(Path.Combine(_folder, "model.onnx")).Length);
        CollectionAssert.AreEqual(Run(Save(Inner(Network.FromOnnx(pruned)), "inner.onnx"), 64), Run(pruned, 64));
    }

    [TestMethod]
    [DataRow("value_float")]
    [DataRow("value_floats")]
    [DataRow("sparse_value")]
    public void Changed_values_are_written_into_whatever_form_of_a_constant_holds_them(string form)
    {
        var constant = Op("Constant", [], ["gain"]);
        constant.Attribute.Add(form switch
        {
            "value_float" => new AttributeProto { Name = form, Type = AttributeProto.Types.AttributeType.Float, F = 3 },
            "value_floats" => new AttributeProto { Name = form, Type = AttributeProto.Types.AttributeType.Floats, Floats = { 1, 2, 3, 4 } },
            _ => new AttributeProto { Name = form, Type = AttributeProto.Types.AttributeType.SparseTensor,
                SparseTensor = OnnxTensor.ToSparse("", [4], [0, 2, 0, 0]) },
        });
        var model = Model(constant, Op("Mul", ["x", "gain"], ["y"]));
        (model.Graph.Input[0], model.Graph.Output[0]) = (Value("x", 4), Value("y", 4));
        var network = Read(model);
        var file = Save(network.With("gain", [.. Enumerable.Repeat(7f, network["gain"].Count)]), "changed.onnx");
        Assert.AreEqual(form, OnnxFile.Read(file).Graph.Node.Single(node => node.OpType == "Constant").Attribute.Single().Name);
        var drawn = new ZooInput("x", ["N", "4"], "float", []).Draw(new Random(7), batch: 3).Values;
        CollectionAssert.AreEqual(Array.ConvertAll(drawn, value => value * 7), Run(file, 4));
    }

    /// <summary>The network as it is written where its file cannot be kept.</summary>
    private static Network Inner(Network network) => new(network.Parts with { AsRead = false });

    private static float[] WithoutHalf(float[] values)
    {
        var limit = values.Select(Math.Abs).Order().ElementAt(values.Length / 2);
        return [.. values.Select(value => Math.Abs(value) < limit ? 0 : value)];
    }

    private Network Read(ModelProto model)
    {
        OnnxFile.Write(model, Path.Combine(_folder, "model.onnx"));
        return Network.FromOnnx(Path.Combine(_folder, "model.onnx"));
    }

    private string Write(ModelProto model)
    {
        OnnxFile.Write(model, Path.Combine(_folder, "written.onnx"));
        return Path.Combine(_folder, "written.onnx");
    }

    private string Save(Network network, string name)
    {
        network.SaveOnnx(Path.Combine(_folder, name));
        return Path.Combine(_folder, name);
    }

    private static float[] Run(string path, int row) => Reference.Run(path,
        [new ZooInput("x", ["N", row.ToString(System.Globalization.CultureInfo.InvariantCulture)], "float", []).Draw(new Random(7), batch: 3)])
            .Single().Value.Values;
}
