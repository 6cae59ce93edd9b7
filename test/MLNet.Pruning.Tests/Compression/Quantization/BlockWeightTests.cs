using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Weights of a few bits in the form that files and ONNX Runtime's kernels have for them.</summary>
[TestClass]
public class BlockWeightTests
{
    private const int Rows = 8;

    public static IEnumerable<object[]> Forms => from bits in new[] { 4, 8 }
                                                 from symmetric in new[] { true, false }
                                                 from block in new[] { 16, 32, 64 }
                                                 select new object[] { bits, symmetric, block };

    [TestMethod]
    [DynamicData(nameof(Forms))]
    public void Blocks_are_multiplied_by_the_kernel_for_them_as_the_floats_that_they_stand_for(int bits, bool symmetric, int block)
    {
        // 72 and 40 inputs are no multiples of 32 and 64: a last block is shorter.
        var network = Network.Mlp(72, 40, 33, 5).Initialize(3);
        var quantized = network.Quantize(Quantizer.Weights(bits, symmetric, block));
        var model = OnnxWriter.Write(quantized);
        var products = model.Graph.Node.Where(node => node.OpType == "MatMulNBits").ToArray();
        Assert.HasCount(3, products);
        Assert.IsTrue(products.All(product => product.Input.Count == 6), "The kernel adds the bias.");
        Assert.DoesNotContain("Add", model.Graph.Node.Select(node => node.OpType));
        Assert.AreEqual((40 + block - 1) / block * 33, model.Graph.Initializer.Single(one => one.Name == products[1].Input[2]).Dims.Single());
        var rows = Draw(network);
        var floats = Run(OnnxWriter.Write(Floats(quantized)), rows);
        // The kernel rounds rows to 8 bits; with another level it computes in floats.
        Close.AreEqual(floats, Run(model, rows), floats.Max(Math.Abs) / 20, "with rows of bytes");
        foreach (var product in products)
        {
            product.Attribute.Single(attribute => attribute.Name == "accuracy_level").I = 0;
        }

        Close.AreEqual(floats, Run(model, rows), 1e-5, "in floats");
    }

    [TestMethod]
    public void A_scale_is_that_of_the_largest_of_its_block()
    {
        var network = Network.Mlp(40, 3).Initialize(5);
        float[] before = [.. network["fc1.weight"].Values], after = [.. network.Quantize(Quantizer.Weights(4, block: 16))["fc1.weight"].Values];
        // [outputs, inputs] of floats, [inputs, outputs] of blocks.
        after = [.. Enumerable.Range(0, after.Length).Select(place => after[(place % 40 * 3) + (place / 40)])];
        for (var start = 0; start < before.Length; start += start % 40 == 32 ? 8 : 16)
        {
            var block = start..(start + (start % 40 == 32 ? 8 : 16));
            var step = before[block].Max(Math.Abs) / 7;
            foreach (var (value, rounded) in before[block].Zip(after[block]))
            {
                Assert.AreEqual(Enumerable.Range(-7, 15).Select(k => k * step).MinBy(one => Math.Abs(one - value)), rounded, 1e-6);
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Forms))]
    public void A_file_of_blocks_is_read_counted_and_pruned_as_what_it_stands_for(int bits, bool symmetric, int block)
    {
        var network = Network.Mlp(72, 64, 33, 5).Initialize(3);
        var quantized = network.Quantize(Quantizer.Weights(bits, symmetric, block));
        using var file = new MemoryStream(OnnxWriter.Write(quantized).ToByteArray());
        var read = Network.FromOnnx(file);
        Assert.AreEqual(network.ParameterCount, read.ParameterCount);
        Assert.HasCount(network.Groups().Count, read.Groups());
        var weights = read.Parameters.Where(parameter => parameter.Shape.Length == 2).ToArray();
        for (var i = 0; i < 3; i++)
        {
            var wrote = quantized[$"fc{i + 1}.weight"];
            Assert.AreSequenceEqual(wrote.Shape, weights[i].Shape);
            Assert.AreSequenceEqual(wrote.Values.ToArray(), weights[i].Values.ToArray());
        }

        var rows = Draw(network);
        Assert.AreSequenceEqual(Run(OnnxWriter.Write(quantized), rows), Run(OnnxWriter.Write(read), rows));
        // The last layer reads 33 units, of several blocks unless they are as large: where a unit of the first goes, those of the second would move into it.
        var groups = read.Groups();
        var last = groups.Where(group => group.Members.Any(member => member.Parameter == weights[2].Name)).Skip(1).Take(1).ToArray();
        if (block < 33)
        {
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => read.Remove(last)).Message, "prune the network of floats");
        }
        else
        {
            Close.AreEqual(Run(OnnxWriter.Write(Floats(read.Mask(last))), rows), Run(OnnxWriter.Write(Floats(read.Remove(last))), rows), 1e-5, "removed");
        }
    }

    [TestMethod]
    public void Whole_blocks_are_removed_and_keep_their_scales()
    {
        var network = Network.Mlp(16, 64, 6).Initialize(3);
        var quantized = network.Quantize(Quantizer.Weights(4, block: 16));
        var groups = quantized.Groups().Where(group => group.Members.Any(member => member.Parameter == "fc2.weight" && member.Indices[0] is >= 16 and < 32))
            .ToArray();
        Assert.HasCount(16, groups);
        var (masked, removed, rows) = (OnnxWriter.Write(Floats(quantized.Mask(groups))), quantized.Remove(groups), Draw(network));
        Assert.HasCount(2, OnnxWriter.Write(removed).Graph.Node.Where(node => node.OpType == "MatMulNBits"));
        Close.AreEqual(Run(masked, rows), Run(OnnxWriter.Write(Floats(removed)), rows), 1e-5, "");
    }

    [TestMethod]
    [DataRow(2, 25, TensorType.Int2)]
    [DataRow(3, 21, TensorType.Int4)]
    [DataRow(4, 21, TensorType.Int4)]
    [DataRow(5, 17, TensorType.Int8)]
    public void Files_hold_integers_in_as_few_bits_as_the_standard_has_for_them(int bits, int opset, TensorType type)
    {
        var network = Network.Sequential([1, 12, 12], Layer.Conv2d(8, 5), Layer.Relu(), Layer.Flatten(), Layer.Dense(60), Layer.Relu(), Layer.Dense(4))
            .Initialize(3);
        var quantized = network.Quantize(Quantizer.Weights(bits));
        var model = OnnxWriter.Write(quantized);
        Assert.AreEqual(opset, model.OpsetImport.Single().Version);
        Assert.HasCount(3, model.Graph.Initializer.Where(tensor => tensor.DataType == (int)type && tensor.Dims.Count > 1));
        var rows = Draw(network);
        Close.AreEqual(Run(OnnxWriter.Write(Floats(quantized)), rows), Run(model, rows), 1e-2, "as floats");
    }

    [TestMethod]
    public void A_file_whose_operators_mean_another_thing_in_later_versions_holds_them_in_bytes()
    {
        using var first = new MemoryStream();
        Network.Sequential([4, 6, 6], Layer.Conv2d(4, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(3)).Initialize(1).SaveOnnx(first);
        var model = ModelProto.Parser.ParseFrom(first.ToArray());
        model.OpsetImport[0].Version = 12;
        using var old = new MemoryStream(model.ToByteArray());
        var written = OnnxWriter.Write(Network.FromOnnx(old).Quantize(Quantizer.Weights(4)));
        Assert.AreEqual(12, written.OpsetImport.Single().Version);
        Assert.HasCount(2, written.Graph.Initializer.Where(tensor => tensor.DataType == (int)DataType.Int8 && tensor.Dims.Count > 1));
    }

    [TestMethod]
    public void Bits_and_blocks_out_of_range_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Weights(4, block: 24));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Weights(4, block: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Weights(3, block: 32));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Weights(9));
    }

    /// <summary>The same values as plain floats.</summary>
    private static Network Floats(Network network)
        => new(network.Parts with { Parameters = [.. network.Parameters.Select(parameter => parameter.OffGrid())], AsRead = false });

    private static float[] Run(ModelProto model, float[] rows)
    {
        using var session = new InferenceSession(model.ToByteArray());
        using var run = new RunOptions();
        var input = session.InputMetadata.Single().Value.Dimensions;
        using var value = OrtValue.CreateTensorValueFromMemory(rows, [Rows, .. input.Skip(1).Select(size => (long)size)]);
        using var outputs = session.Run(run, session.InputNames, [value], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static float[] Draw(Network network)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, Rows * network.Input.RowSize).Select(_ => random.NextSingle() - 0.5f)];
    }
}
