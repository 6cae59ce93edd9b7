using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Compression.Structure;
using MLNet.Pruning.Tests.Structure;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>EmbedLayerNormalization of com.microsoft, as ONNX Runtime's optimizer writes the embeddings of a BERT.</summary>
[TestClass]
public class EmbeddingNormalizationTests
{
    private const int Steps = 5;
    private const int Width = 12;

    private readonly string _folder = Directory.CreateTempSubdirectory("embeddings").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(true, false)]
    [DataRow(false, false)]
    [DataRow(true, true)]
    public void It_is_read_pruned_and_written(bool hasSegments, bool hasPositions)
    {
        var (path, inputs) = Write(hasSegments, hasPositions);
        var network = Network.FromOnnx(path);
        Assert.IsTrue(network.Nodes.All(node => node.Domain.Length == 0), string.Join('\n', network.Nodes));
        // Of a table without positions to pick, the rows of the sequence.
        Assert.AreEqual((20 * Width) + ((hasPositions ? 8 : Steps) * Width) + (hasSegments ? 2 * Width : 0) + (2 * Width) + (Width * 16) + (16 * 4),
            network.ParameterCount);
        Assert.IsEmpty(NetworkCost.Of(network).LeftOut);
        var rows = inputs.Select(input => input.Draw(new Random(5), ZooModel.Batch)).ToArray();

        Compare(path, Save(new Network(network.Parts with { AsRead = false }), "rewritten.onnx"), rows);
        var same = Save(network.Prune(Amount.Fraction(0)).Network, "same.onnx");
        Compare(path, same, rows);
        var (before, after) = (OnnxFile.Read(path).Graph, OnnxFile.Read(same).Graph);
        Assert.AreEqual(before, after, "the file as it was");

        var structure = network.Groups();
        Assert.AreEqual((StructureKind.Neuron, 16), (structure.Families.Single().Kind, structure.Count), structure.ToString());
        StringAssert.Contains(string.Join('\n', structure.Reasons()), "words (Gather");
        StringAssert.Contains(string.Join('\n', structure.Reasons()), "(LayerNormalization)");
        RemovalExactnessTests.Compare(new("embeddings", path, inputs, ["y", "count"], true), network, [.. structure.Where((_, i) => i % 2 == 0)]);
    }

    [TestMethod]
    public void Half_of_the_weights_at_zero_computes_as_the_file_with_those_zeros()
    {
        var (path, inputs) = Write(hasSegments: true, hasPositions: false);
        var rows = inputs.Select(input => input.Draw(new Random(5), ZooModel.Batch)).ToArray();
        var pruned = Network.FromOnnx(path).Prune(Amount.Fraction(0.5)).Network;
        var masked = OnnxFile.Read(path);
        var weights = masked.Graph.Initializer.Where(tensor => tensor.Name is "w1" or "w2").ToArray();
        var limit = weights.SelectMany(tensor => OnnxTensor.ToFloats(tensor, null)).Select(Math.Abs).Order().ElementAt(((Width * 16) + (16 * 4)) / 2);
        foreach (var tensor in weights)
        {
            tensor.RawData = OnnxTensor.FromFloats("", tensor.Dims,
                OnnxTensor.ToFloats(tensor, null).Select(value => Math.Abs(value) < limit ? 0 : value).ToArray()).RawData;
        }

        var expected = Path.Combine(_folder, "masked.onnx");
        OnnxFile.Write(masked, expected);
        Compare(expected, Save(pruned, "pruned.onnx"), rows);
    }

    private static void Compare(string expected, string actual, ZooValues[] rows)
    {
        var (left, right) = (Reference.Run(expected, rows), Reference.Run(actual, rows));
        foreach (var (name, values) in left)
        {
            Close.AreEqual(values.Values, right[name].Values, 1e-5, name);
        }
    }

    private (string Path, ZooInput[] Inputs) Write(bool hasSegments, bool hasPositions)
    {
        string[] embed = ["ids", hasSegments ? "kinds" : "", "words", "places", hasSegments ? "segments" : "", "scale", "shift", "mask",
            .. hasPositions ? new[] { "positions" } : []];
        var model = Model(
            Op("EmbedLayerNormalization", embed, ["e", "found"], ("epsilon", 1e-5f)), Op("Cast", ["found"], ["count"], ("to", (long)DataType.Float)),
            Op("MatMul", ["e", "w1"], ["h"]), Op("Relu", ["h"], ["r"]), Op("MatMul", ["r", "w2"], ["y"]));
        model.Graph.Node[0].Domain = "com.microsoft";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        model.Graph.Input.Clear();
        List<ZooInput> inputs = [Integers("ids", 20)];
        inputs.AddRange(hasSegments ? [Integers("kinds", 2)] : []);
        inputs.Add(Integers("mask", 2));
        inputs.AddRange(hasPositions ? [Integers("positions", 8)] : []);
        foreach (var input in inputs)
        {
            model.Graph.Input.Add(Value(input.Name, Steps));
            model.Graph.Input[^1].Type.TensorType.ElemType = (int)DataType.Int32;
        }

        model.Graph.Output[0] = Value("y", Steps, 4);
        model.Graph.Output.Add(Value("count"));
        model.Graph.Output[1].Type.TensorType.Shape = null;
        model.Graph.Initializer.AddRange([
            Weight("words", 1, [20, Width]), Weight("places", 2, [8, Width]), Weight("scale", 3, [Width]), Weight("shift", 4, [Width]),
            Weight("w1", 5, [Width, 16]), Weight("w2", 6, [16, 4])]);
        model.Graph.Initializer.AddRange(hasSegments ? [Weight("segments", 7, [2, Width])] : []);
        var path = Path.Combine(_folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return (path, [.. inputs]);
    }

    private static ZooInput Integers(string name, int end) => new(name, ["N", $"{Steps}"], "int32", [0, end]);

    private string Save(Network network, string name)
    {
        network.SaveOnnx(Path.Combine(_folder, name));
        return Path.Combine(_folder, name);
    }
}
