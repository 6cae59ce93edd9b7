using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Tests.Compression.Structure;
using MLNet.Pruning.Tests.Structure;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>
/// Attention that reads keys and values of earlier steps and hands on its own: computed as ONNX Runtime computes the file, counted over all steps, and its
/// heads stay for the inputs and outputs that hold them, while what comes behind shrinks.
/// </summary>
[TestClass]
public class PastAttentionTests
{
    private const int Steps = 2;
    private const int Past = 3;
    private const int All = Past + Steps;
    private const int Width = 16;

    private static readonly string[] s_weights = ["wq", "wk", "wv", "qkv", "o", "w"];

    /// <summary>By the number of their values: of each row how many keys, which key, and which key for which step.</summary>
    private static readonly Dictionary<int, float[]> s_masks = new()
    {
        [ZooModel.Batch] = [5, 3, 4],
        [ZooModel.Batch * All] = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0],
        [ZooModel.Batch * Steps * Steps] = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1],
    };

    private static readonly ValueInfoProto s_mask = Typed("mask", DataType.Int32, All);

    private readonly string _folder = Directory.CreateTempSubdirectory("past").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    public void Multi_head_attention(long isCausal)
    {
        var attention = Op("MultiHeadAttention", ["q", "k", "v", "bias", "mask", "", "past_k", "past_v"], ["a", "keys", "values"], ("num_heads", 4L),
            ("unidirectional", isCausal));
        var model = Between(attention, past: [Value("past_k", 4, Past, 4), Value("past_v", 4, Past, 4), s_mask.Clone()]);
        model.Graph.Initializer.Add(Weight("bias", 8, [3 * Width]));
        Check(model, "past_k", heads: 0, products: 2 * Steps * All * Width);
    }

    [TestMethod]
    public void Multi_head_attention_that_only_hands_on()
    {
        var attention = Op("MultiHeadAttention", ["q", "k", "v"], ["a", "keys", "values"], ("num_heads", 4L));
        Check(Between(attention, past: []), null, heads: 0, products: 2 * Steps * Steps * Width);
    }

    [TestMethod]
    [DataRow(0L)]
    [DataRow(1L)]
    public void Attention_of_one_weight(long isCausal)
    {
        var model = Packed(isCausal, s_mask.Clone());
        Check(model, "past", heads: 0, products: 2 * Steps * All * Width);
    }

    [TestMethod]
    public void Attention_of_one_weight_with_the_number_of_keys_of_each_row()
    {
        var model = Packed(0, Typed("counts", DataType.Int32));
        Check(model, "past", heads: 0, products: 2 * Steps * All * Width);
    }

    [TestMethod]
    [DataRow(4, 0L)]
    [DataRow(2, 0L)]
    [DataRow(2, 1L)]
    [DataRow(1, 1L)]
    public void Attention_of_the_standard_with_truth_values_as_mask(int shared, long isCausal)
    {
        var attention = Op("Attention", ["q", "k", "v", "mask", "past_k", "past_v"], ["a", "keys", "values"],
            ("q_num_heads", 4L), ("kv_num_heads", (long)shared), ("is_causal", isCausal));
        var model = Between(attention, [Value("past_k", shared, Past, 4), Value("past_v", shared, Past, 4)], shared * 4);
        // A key at least for each step.
        model.Graph.Initializer.Add(OnnxTensor.FromLongs("mask", [Steps, All], [1, 0, 1, 1, 0, 1, 1, 0, 0, 1], DataType.Bool));
        Check(model, "past_k", heads: shared == 4 ? 0 : 4 / shared, products: 2 * Steps * All * Width);
    }

    [TestMethod]
    public void Attention_of_the_standard_with_truth_values_for_each_row_and_no_past()
    {
        var attention = Op("Attention", ["q", "k", "v", "mask"], ["a"], ("q_num_heads", 4L), ("kv_num_heads", 4L));
        var model = Between(attention, past: [Typed("mask", DataType.Bool, 1, Steps, Steps)]);
        model.Graph.Output.Clear();
        model.Graph.Output.Add(Value("y", Steps, 6));
        Check(model, null, heads: 4, products: 2 * Steps * Steps * Width);
    }

    private void Check(ModelProto model, string? past, int heads, long products)
    {
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        var network = Network.FromOnnx(path);
        Assert.IsTrue(network.Nodes.All(node => node.Domain.Length == 0 && node.Operator != "Attention"), string.Join('\n', network.Nodes));
        var layers = network.Parameters.Where(parameter => s_weights.Contains(parameter.Name)).Sum(parameter => (long)parameter.Count);
        Assert.AreEqual((Steps * layers) + products, NetworkCost.Of(network).Total.MultiplyAdds);

        // Of the masks drawn all is one: the comparison with what is masked needs no more.
        ZooInput[] inputs = [.. network.Inputs.Select(input => new ZooInput(input.Name, [.. input.Shape.Select(size => size < 0 ? "N" : $"{size}")],
            input.Type switch { TensorType.Int32 => "int32", TensorType.Bool => "bool", _ => "float" }, input.Type == TensorType.Float ? [] : [1, 2]))];
        var rows = inputs.Select(input => input.Draw(new Random(5), ZooModel.Batch))
            .Select(values => s_masks.TryGetValue(values.Values.Length, out var mask) && values.Input.Range.Length > 0
            ? values with { Values = mask } : values).ToArray();
        var written = Path.Combine(_folder, "written.onnx");
        new Network(network.Parts with { AsRead = false }).SaveOnnx(written);
        var (expected, actual) = (Reference.Run(path, rows), Reference.Run(written, rows));
        foreach (var (name, values) in expected)
        {
            Close.AreEqual(values.Values, actual[name].Values, 1e-5, name);
        }

        var structure = network.Groups();
        Assert.HasCount(heads, structure.Where(group => group.Kind == StructureKind.Head), structure.ToString());
        Assert.HasCount(10, structure.Where(group => group.Kind == StructureKind.Neuron), structure.ToString());
        if (past is not null)
        {
            StringAssert.Contains(string.Join('\n', structure.Reasons()), $"the network's input '{past}'");
        }

        var zoo = new ZooModel("past", path, inputs, [.. network.Outputs.Select(output => output.Name)], true);
        RemovalExactnessTests.Compare(zoo, network, [.. structure.Where((_, i) => i % 2 == 1)]);
    }

    private static ModelProto Packed(long isCausal, ValueInfoProto mask)
    {
        var model = Model(
            Op("Attention", ["x", "qkv", "bias", mask.Name, "past"], ["a", "present"], ("num_heads", 4L), ("unidirectional", isCausal)),
            Op("MatMul", ["a", "o"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "w"], ["y"]));
        Finish(model);
        model.Graph.Initializer.AddRange([Weight("qkv", 1, [12, 3 * Width]), Weight("bias", 8, [3 * Width])]);
        var past = Value("past", 4, Past, 4);
        past.Type.TensorType.Shape.Dim.Insert(0, new TensorShapeProto.Types.Dimension { DimValue = 2 });
        model.Graph.Input.AddRange([past, mask]);
        model.Graph.Output.Add(Output("present"));
        return model;
    }

    /// <summary>Queries, keys and values of three layers, and two layers behind.</summary>
    private static ModelProto Between(NodeProto attention, ValueInfoProto[] past, int shared = Width)
    {
        var model = Model(
            Op("MatMul", ["x", "wq"], ["q"]), Op("MatMul", ["x", "wk"], ["k"]), Op("MatMul", ["x", "wv"], ["v"]), attention,
            Op("MatMul", ["a", "o"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "w"], ["y"]));
        Finish(model, attention.OpType == "Attention" ? "" : "com.microsoft");
        model.Graph.Initializer.AddRange([Weight("wq", 1, [12, Width]), Weight("wk", 2, [12, shared]), Weight("wv", 3, [12, shared])]);
        model.Graph.Input.AddRange(past);
        model.Graph.Output.AddRange([Output("keys"), Output("values")]);
        return model;
    }

    private static void Finish(ModelProto model, string domain = "com.microsoft")
    {
        model.Graph.Node.Single(node => node.OpType.EndsWith("Attention", StringComparison.Ordinal)).Domain = domain;
        if (domain.Length > 0)
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = 1 });
        }
        else
        {
            (model.OpsetImport[0].Version, model.IrVersion) = (23, 11);
        }

        model.Graph.Input[0] = Value("x", Steps, 12);
        model.Graph.Output[0] = Value("y", Steps, 6);
        model.Graph.Initializer.AddRange([Weight("o", 4, [Width, 10]), Weight("w", 5, [10, 6])]);
    }

    private static ValueInfoProto Typed(string name, DataType type, params long[] row)
    {
        var value = Value(name, row);
        value.Type.TensorType.ElemType = (int)type;
        return value;
    }

    private static ValueInfoProto Output(string name) => new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } };
}
