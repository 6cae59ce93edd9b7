using System.Runtime.InteropServices;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Files whose weights are integers: seen, counted, pruned on their grid, and made smaller with their scales and zero points.</summary>
[TestClass]
public class QuantizedFileTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quantized").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Pruned_weights_are_the_integers_that_stand_for_zero()
    {
        // The smallest half by (integer - zero point) * scale, found in the file itself.
        var model = OnnxFile.Read(Case.File("qdq"));
        var initializers = model.Graph.Initializer.ToDictionary(tensor => tensor.Name);
        var weights = model.Graph.Node.Where(node => node.OpType == "DequantizeLinear" && initializers.TryGetValue(node.Input[0], out var tensor)
            && tensor.Dims.Count == 4)
            .Select(node => (Tensor: initializers[node.Input[0]], Scales: OnnxTensor.ToFloats(initializers[node.Input[1]], null),
                Zeros: OnnxTensor.ToLongs(initializers[node.Input[2]], null))).ToArray();
        var values = weights.SelectMany(weight => OnnxTensor.ToLongs(weight.Tensor, null)
            .Select((integer, i) => (weight.Tensor.Name, Index: i, Value: Value(weight, integer, i)))).ToArray();
        var limit = values.Select(value => value.Value).Order().ElementAt(values.Length / 2);
        var pruned = Network.FromOnnx(Case.File("qdq")).Prune(Amount.Fraction(0.5)).Network;
        var path = Save(pruned, "pruned.onnx");
        var after = OnnxFile.Read(path).Graph.Initializer.ToDictionary(tensor => tensor.Name);
        foreach (var weight in weights)
        {
            var (before, now) = (OnnxTensor.ToLongs(weight.Tensor, null), OnnxTensor.ToLongs(after[weight.Tensor.Name], null));
            for (var i = 0; i < before.Length; i++)
            {
                var value = Value(weight, before[i], i);
                if (value != limit)
                {
                    Assert.AreEqual(value < limit ? weight.Zeros[i / (before.Length / weight.Zeros.Length)] : before[i], now[i],
                        $"{weight.Tensor.Name}[{i}] of {value}, limit {limit}");
                }
            }
        }

        Assert.AreEqual(new FileInfo(Case.File("qdq")).Length, new FileInfo(path).Length);

        static float Value((TensorProto Tensor, float[] Scales, long[] Zeros) weight, long integer, int i)
        {
            var slice = i / (int)(OnnxTensor.Count(weight.Tensor) / weight.Scales.Length);
            return Math.Abs((integer - weight.Zeros[slice]) * weight.Scales[slice]);
        }
    }

    [TestMethod]
    public void Channels_go_with_their_scales_and_zero_points()
    {
        var network = Network.FromOnnx(Case.File("qdq"));
        Assert.AreEqual(OnnxFile.Read(Case.File("qdq")).Graph.Initializer.Where(tensor => tensor.Name.EndsWith("_q", StringComparison.Ordinal))
            .Sum(OnnxTensor.Count), network.ParameterCount, "weights and biases");
        var half = network.Groups().Where((_, i) => i % 2 == 0).ToArray();
        Assert.HasCount(24, half, "of 32 and 16 channels");
        var small = Save(network.Remove(half), "small.onnx");
        CollectionAssert.AreEqual(Run(Save(network.Mask(half), "masked.onnx")), Run(small), "removed against masked, to the integer");
        Assert.IsTrue(OnnxFile.Read(small).Graph.Initializer.Where(tensor => tensor.Dims.Count == 4).All(tensor => tensor.DataType == (int)TensorType.Int8));
        Assert.IsLessThan(0.55, (double)new FileInfo(small).Length / new FileInfo(Case.File("qdq")).Length);
        CollectionAssert.AreEqual(Run(small), Run(Save(Network.FromOnnx(small), "again.onnx")), "read and written again");
    }

    [TestMethod]
    public void Weights_that_left_the_grid_are_written_as_floats()
    {
        var network = Network.FromOnnx(Case.File("qdq"));
        var name = network.Parameters.First(parameter => parameter.Grid is not null && parameter.Shape.Length == 4).Name;
        var random = new Random(1);
        var trained = network.With(name, [.. network[name].Values.ToArray().Select(value => value + random.NextSingle() / 1000)]);
        CollectionAssert.AreEqual(trained[name].Values.ToArray(), Network.FromOnnx(Save(trained, "trained.onnx"))[name].Values.ToArray());
    }

    [TestMethod]
    public void Convolutions_of_integers_compute_as_before_and_lose_weights()
    {
        var network = Network.FromOnnx(Case.File("qoperator"));
        Assert.AreEqual(432, network.ParameterCount, "the convolution's; products of integers that are quantised when the network runs stay out");
        var original = Run(Case.File("qoperator"));
        Close.AreEqual(original, Run(Save(network, "same.onnx")), 1e-5, "as it was");
        Close.AreEqual(original, Run(Save(new Network(network.Parts with { AsRead = false }), "inner.onnx")), 1e-5, "in the inner form");
        Assert.AreEqual(216, NetworkCost.Of(Network.FromOnnx(Save(network.Prune(Amount.Fraction(0.5)).Network, "pruned.onnx"))).Total.NonZeros);
    }

    [TestMethod]
    public void The_grid_is_met_to_the_last_bit()
    {
        var random = new Random(3);
        foreach (var type in new[] { TensorType.Int8, TensorType.Int32 })
        {
            var integers = Enumerable.Range(0, 3000).Select(_ =>
                type == TensorType.Int8 ? random.Next(-128, 128) : random.NextInt64(int.MinValue, int.MaxValue)).ToArray();
            var grid = new QuantizationGrid(type, [.. Enumerable.Range(0, 30).Select(_ => random.NextSingle() * MathF.Pow(10, random.Next(-6, 3)))],
                [.. Enumerable.Range(0, 30).Select(_ => type == TensorType.Int8 ? random.NextInt64(-128, 128) : 0)], true, 1);
            var values = grid.Dequantize(integers, [10, 30, 10]);
            var back = grid.Quantize(values, [10, 30, 10]);
            Assert.IsNotNull(back);
            CollectionAssert.AreEqual(values, grid.Dequantize(back, [10, 30, 10]), "the same floats");
            if (type == TensorType.Int8)
            {
                CollectionAssert.AreEqual(integers, back);
            }
        }
    }

    [TestMethod]
    public void A_pipeline_scores_what_ONNX_Runtime_scores_and_does_not_train()
    {
        var network = Network.FromOnnx(Case.File("qdq"));
        var rows = new ZooInput("x", ["N", "3", "8", "8"], "float", []).Draw(new Random(7), 3);
        var expected = Reference.Run(Case.File("qdq"), [rows]).Single().Value.Values;
        using var scope = NewDisposeScope();
        using var graph = new TorchGraph(network, network.Parameters.ToDictionary(parameter => parameter.Name, TorchGraph.View), logits: false, result: "y");
        var scored = MemoryMarshal.Cast<byte, float>(graph.Forward(tensor(rows.Values, [3, 192])).contiguous().bytes).ToArray();
        // A sum that lies beside a half may be rounded to the other integer, which a last weight multiplies: few values, and little.
        Assert.IsLessThan(expected.Length / 20, expected.Where((value, i) => Math.Abs(value - scored[i]) > 1e-4).Count());
        Close.AreEqual(expected, scored, 0.02, "scores");

        var ml = new MLContext(1);
        var view = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3)
            .Select(i => new Picture { Features = rows.Values[(i * 192)..((i + 1) * 192)], Label = (uint)i + 1 }));
        var chain = ml.Transforms.LoadNetwork(network, inputs: ["Features"]).Append(ml.Transforms.FineTune());
        StringAssert.Contains(Assert.Throws<Exception>(() => chain.Fit(view)).GetBaseException().Message, "then quantize it");
    }

    private sealed class Picture
    {
        [VectorType(192)]
        public float[] Features { get; set; } = [];

        [KeyType(256)]
        public uint Label { get; set; }
    }

    private string Save(Network network, string name)
    {
        network.SaveOnnx(Path.Combine(_folder, name));
        return Path.Combine(_folder, name);
    }

    private static float[] Run(string path) => Reference.Run(path, [new ZooInput("x", ["N", "3", "8", "8"], "float", []).Draw(new Random(7), batch: 3)])
        .Single().Value.Values;
}
