using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Parts of rows on few vectors.</summary>
[TestClass]
public class ProductQuantizerTests
{
    private static readonly Network s_network = Network.Mlp(64, 120, 10).Initialize(3);

    [TestMethod]
    [DataRow(8, 4)]
    [DataRow(16, 2)]
    [DataRow(2, 8)]
    public void Each_part_is_on_few_vectors_and_nearest_to_its_own(int codewords, int length)
    {
        var rounded = s_network.Quantize(Quantizer.Product(codewords, length));
        var (before, after) = (s_network["fc1.weight"].Values.ToArray(), rounded["fc1.weight"].Values.ToArray());
        for (var start = 0; start < 64; start += length)
        {
            var vectors = Enumerable.Range(0, 120).Select(row => after[(row * 64 + start)..(row * 64 + start + length)]).ToArray();
            var distinct = vectors.DistinctBy(vector => string.Join(' ', vector)).ToArray();
            Assert.IsLessThanOrEqualTo(codewords, distinct.Length);
            for (var row = 0; row < 120; row++)
            {
                double Distance(float[] vector) => vector.Select((value, j) => (double)(value - before[row * 64 + start + j])).Sum(d => d * d);
                // Means are rounded to 16 bits after the last round.
                Assert.IsLessThanOrEqualTo(distinct.Min(Distance) * 1.02 + 1e-6, Distance(vectors[row]));
            }
        }
    }

    [TestMethod]
    public void As_many_vectors_as_rows_change_nothing_but_the_last_bits()
    {
        var rounded = s_network.Quantize(Quantizer.Product(120, 4));
        for (var i = 0; i < rounded["fc1.weight"].Count; i++)
        {
            Assert.AreEqual(s_network["fc1.weight"].Values[i], rounded["fc1.weight"].Values[i], Math.Abs(s_network["fc1.weight"].Values[i]) / 256);
        }
    }

    [TestMethod]
    public void A_file_is_small_runs_as_floats_do_and_is_read_back()
    {
        var network = Network.Mlp(256, 512, 10).Initialize(3).Quantize(Quantizer.Product(16, 8));
        var plain = network.WithParameters(network.Parameters.Select(parameter => parameter.Coded(0)));
        var (coded, dense) = (OnnxWriter.Write(network).ToByteArray(), OnnxWriter.Write(plain).ToByteArray());
        Console.WriteLine($"{dense.Length} bytes as floats, {coded.Length} in codes");
        Assert.IsLessThan(0.2, (double)coded.Length / dense.Length);
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "optimized.onnx");
        var row = Enumerable.Range(0, 256).Select(i => MathF.Sin(i)).ToArray();
        CollectionAssert.AreEqual(Run(dense, row, null), Run(coded, row, path));
        Assert.DoesNotContain("Gather", ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(node => node.OpType));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        foreach (var back in new[] { Network.FromOnnx(new MemoryStream(coded)), Networks.Storage.CompressedNetworkTests.Back(network).Network })
        {
            Assert.IsTrue(network["fc1.weight"].Values.SequenceEqual(back["fc1.weight"].Values));
            Assert.AreEqual(8, back["fc1.weight"].CodeLength);
            Assert.IsTrue(back["fc1.weight"].Trainable);
            CollectionAssert.AreEqual(network.Nodes.Select(node => node.Operator).ToArray(), back.Nodes.Select(node => node.Operator).ToArray());
        }
    }

    [TestMethod]
    public void What_does_not_fit_is_told()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Product(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Product(257));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Product(16, 1));
        var odd = Network.Mlp(9, 6, 2).Initialize(1);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => odd.Quantize(Quantizer.Product(4, 5))).Message, "9 inputs are no multiple of 5");
        var convolution = Network.Sequential([1, 6, 6], Layer.Conv2d(4, 3), Layer.Flatten(), Layer.Dense(3)).Initialize(1);
        var rounded = convolution.Quantize(Quantizer.Product(2, 4));
        Assert.IsTrue(convolution["conv1.weight"].Values.SequenceEqual(rounded["conv1.weight"].Values));
    }

    private static float[] Run(byte[] model, float[] row, string? optimized)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        if (optimized is not null)
        {
            options.OptimizedModelFilePath = optimized;
        }

        using var session = new InferenceSession(model, options);
        using var input = OrtValue.CreateTensorValueFromMemory(row, [1, row.Length]);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
