using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Dense layers of integers whose range is that of each batch.</summary>
[TestClass]
public class DynamicQuantizationTests
{
    private const int Rows = 16;

    private static readonly Network s_dense = Network.Mlp(64, 96, 48, 10).Initialize(7);

    [TestMethod]
    public void All_dense_layers_are_fused_to_products_of_integers()
    {
        var operators = OptimizedModel.Operators(s_dense.Quantize(Quantizer.DynamicInt8()));
        Assert.HasCount(3, operators.Where(one => one == "DynamicQuantizeMatMul"));
        Assert.DoesNotContain("MatMul", operators);
        Assert.DoesNotContain("Gemm", operators);
        Assert.DoesNotContain("DequantizeLinear", operators);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_layer_is_what_its_formula_says(bool perChannel)
    {
        var network = Network.Mlp(5, 3).Initialize(2);
        var quantized = network.Quantize(Quantizer.DynamicInt8(perChannel), target: QuantizationTarget.DotProducts);
        var rows = Draw(5 * Rows, 3);
        var (low, high) = (Math.Min(0, rows.Min()), Math.Max(0, rows.Max()));
        var scale = (high - low) / 255;
        var (weight, bias) = (network["fc1.weight"].Values.ToArray(), network["fc1.bias"].Values.ToArray());
        var expected = from row in Enumerable.Range(0, Rows)
                       from unit in Enumerable.Range(0, 3)
                       let step = (perChannel ? weight[(unit * 5)..(unit * 5 + 5)] : weight).Max(Math.Abs) / 127
                       select bias[unit] + scale * step * Enumerable.Range(0, 5).Sum(i
                           => MathF.Round(rows[row * 5 + i] / scale) * MathF.Round(weight[unit * 5 + i] / step));
        Close.AreEqual([.. expected], Run(OnnxWriter.Write(quantized), rows, GraphOptimizationLevel.ORT_DISABLE_ALL), 1e-5, "plain");
        Close.AreEqual([.. expected], Run(OnnxWriter.Write(quantized), rows, GraphOptimizationLevel.ORT_ENABLE_ALL), 1e-5, "fused");
    }

    [TestMethod]
    public void Fused_plain_and_in_libtorch_it_is_the_same_to_a_step()
    {
        // Wide values, for which sums of products of 8 bits would saturate where the processor adds pairs in 16 bits.
        var rows = Draw(64 * Rows, 8);
        var quantized = s_dense.Quantize(Quantizer.DynamicInt8());
        var model = OnnxWriter.Write(quantized);
        var (fused, plain) = (Run(model, rows, GraphOptimizationLevel.ORT_ENABLE_ALL), Run(model, rows, GraphOptimizationLevel.ORT_DISABLE_ALL));
        var step = (plain.Max() - plain.Min()) / 255;
        Close.AreEqual(plain, fused, step, "fused");
        using var scorer = new TorchScorer(quantized, softmax: false, Rows);
        rows.CopyTo(scorer.Rows, 0);
        scorer.Run(Rows);
        Close.AreEqual(plain, Enumerable.Range(0, Rows).SelectMany(row => scorer.Scores(row).ToArray()).ToArray(), step, "libtorch");
    }

    [TestMethod]
    public void A_file_of_it_is_read_counted_and_written_as_it_was()
    {
        var quantized = s_dense.Quantize(Quantizer.DynamicInt8());
        var model = OnnxWriter.Write(quantized);
        using var file = new MemoryStream(model.ToByteArray());
        var read = Network.FromOnnx(file);
        Assert.AreEqual(s_dense.ParameterCount, read.ParameterCount);
        foreach (var parameter in quantized.Parameters)
        {
            Assert.AreSequenceEqual(parameter.Values.ToArray(), read[parameter.Name].Values.ToArray(), parameter.Name);
        }

        var again = OnnxWriter.Write(read);
        Assert.AreSequenceEqual(model.Graph.Node.Select(node => node.OpType).Order(), again.Graph.Node.Select(node => node.OpType).Order());
        var rows = Draw(64 * Rows, 1);
        Assert.AreSequenceEqual(Run(model, rows, GraphOptimizationLevel.ORT_ENABLE_ALL), Run(again, rows, GraphOptimizationLevel.ORT_ENABLE_ALL));
    }

    [TestMethod]
    public void What_is_removed_is_what_is_masked()
    {
        var read = s_dense.Quantize(Quantizer.DynamicInt8());
        var groups = read.Groups().Where((_, i) => i % 3 == 0).ToArray();
        Assert.IsNotEmpty(groups);
        var (masked, removed) = (OnnxWriter.Write(read.Mask(groups)), OnnxWriter.Write(read.Remove(groups)));
        Assert.HasCount(3, removed.Graph.Node.Where(node => node.OpType == "MatMulInteger"));
        var rows = Draw(64 * Rows, 1);
        Close.AreEqual(Run(masked, rows, GraphOptimizationLevel.ORT_DISABLE_ALL), Run(removed, rows, GraphOptimizationLevel.ORT_DISABLE_ALL), 1e-4, "");
    }

    [TestMethod]
    public void Convolutions_and_weights_that_others_read_stay_and_are_refused_where_there_is_nothing_else()
    {
        var convolutions = Network.Sequential([2, 6, 6], Layer.Conv2d(4, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(3)).Initialize(1);
        var quantized = convolutions.Quantize(Quantizer.DynamicInt8());
        Assert.IsNull(quantized["conv1.weight"].Grid);
        Assert.AreEqual(TensorType.Int8, quantized["fc1.weight"].Grid!.Type);
        var alone = Network.Sequential([2, 6, 6], Layer.Conv2d(4, 3), Layer.GlobalAveragePool(), Layer.Flatten()).Initialize(1);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => alone.Quantize(Quantizer.DynamicInt8())).Message, "convolution");
    }

    private static float[] Run(ModelProto model, float[] rows, GraphOptimizationLevel level)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = level, IntraOpNumThreads = 1 };
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, [Rows, rows.Length / Rows]);
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static float[] Draw(int count, double scale)
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))];
    }
}
