using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Tests.Pipeline;
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
    public void A_vector_learns_by_the_sum_of_the_gradients_of_the_parts_that_it_stands_for()
    {
        var network = Network.Mlp(12, 9, 4).Initialize(3);
        var random = new Random(4);
        // Three vectors of three values for each of the four parts of nine rows.
        float[] vectors = [.. Enumerable.Range(0, 36).Select(_ => random.NextSingle() - 0.5f)];
        long[] codes = [.. Enumerable.Range(0, 36).Select(i => (i % 4 * 3) + random.Next(3))];
        var writer = new QuantizedGraph(network);
        var name = writer.RoundInTraining("fc1.weight", vectors, 3, codes);
        var trained = CodebookTests.Gradients(writer.Build());
        var plain = CodebookTests.Gradients(network.With("fc1.weight", [.. codes.SelectMany(code => vectors[(int)(code * 3)..][..3])]));
        for (var i = 0; i < vectors.Length; i++)
        {
            var parts = Enumerable.Range(0, 36).Where(part => codes[part] == i / 3);
            Assert.AreEqual(parts.Sum(part => (double)plain["fc1.weight"][(part * 3) + (i % 3)]), trained[name][i], 1e-5, $"value {i}");
        }

        CollectionAssert.AreEqual(plain["fc2.weight"], trained["fc2.weight"]);
    }

    [TestMethod]
    public void Training_keeps_the_codes_and_beats_rounding_after_it()
    {
        var ml = new MLContext(1);
        (Network Network, QuantizationReport Report) Fit(int epochs)
        {
            var model = Digits.Prepare(ml)
                .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options() with { ValidationFraction = 0.2, Seed = 1 }))
                .Append(ml.Transforms.Quantize(new QuantizationOptions { Quantizer = Quantizer.Product(4, 4), Epochs = epochs, Seed = 1 }))
                .Fit(Digits.Load(ml)).LastTransformer;
            return (model.Network, model.GetReport<QuantizationReport>());
        }

        var (rounded, trained) = (Fit(0), Fit(4));
        Assert.IsLessThan(rounded.Report.After!.Loss, trained.Report.After!.Loss);
        Assert.HasCount(4, trained.Report.Epochs);
        // What was trained last is what ONNX Runtime computes, but for the last bits of the vectors.
        Assert.AreEqual(trained.Report.Epochs[^1].Validation!.Loss, trained.Report.After.Loss, 0.01);
        var weights = trained.Network.Parameters.Where(parameter => parameter.CodeLength > 0).ToArray();
        Assert.IsNotEmpty(weights);
        foreach (var weight in weights)
        {
            Assert.AreSequenceEqual(Codes(rounded.Network[weight.Name]), Codes(weight), weight.Name);
            Assert.IsFalse(weight.Values.SequenceEqual(rounded.Network[weight.Name].Values), weight.Name);
        }

        // For each part of each row the first row that has the same vector there.
        static int[] Codes(Parameter weight)
        {
            var (columns, values) = (weight.Shape[1] / 4, weight.Values.ToArray());
            var parts = Enumerable.Range(0, weight.Count / 4).Select(part => string.Join(' ', values[(part * 4)..][..4])).ToArray();
            return [.. parts.Select((vector, i) => Enumerable.Range(0, weight.Shape[0]).First(row => parts[(row * columns) + (i % columns)] == vector))];
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
