using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Quantised networks as ONNX Runtime computes them, with and without its kernels for integers.</summary>
[TestClass]
public class QuantizedNetworkTests
{
    private const int Rows = 32;

    public static IEnumerable<object[]> Chains =>
    [
        ["dense", Network.Mlp(64, 96, 96, 96, 10)],
        ["convolutions", Network.Sequential([8, 12, 12], Layer.Conv2d(16, 3), Layer.Relu(), Layer.Conv2d(16, 3, padding: 1), Layer.Relu(), Layer.MaxPool(2),
            Layer.Conv2d(24, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(20), Layer.Relu(), Layer.Dense(5))],
        ["folded", Network.Sequential([3, 10, 10], Layer.Conv2d(16, 3, bias: false), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(16, 3, groups: 16),
            Layer.BatchNorm(), Layer.Relu(), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(7))],
        ["residual", Network.Sequential([16, 8, 8], Layer.Conv2d(16, 3, padding: 1), Layer.Relu(),
            Layer.Residual(Layer.Conv2d(16, 3, padding: 1), Layer.Relu(), Layer.Conv2d(16, 3, padding: 1)), Layer.Relu(),
            Layer.Conv2d(8, 3), Layer.Relu(), Layer.AveragePool(2), Layer.Flatten(), Layer.Dense(4))],
    ];

    [TestMethod]
    [RequiresAvx2]
    public void Seven_bits_are_within_a_step_on_processors_that_add_in_16_bits_where_eight_are_not()
    {
        var network = Network.Mlp(64, 96, 96, 96, 10).Initialize(7);
        // Inputs at an end of their range and weights of one sign: pairs of products of 8 bits are beyond 16 bits.
        var rows = Array.ConvertAll(Draw(network, 3, scale: 8), value => value < -7.9f ? value : 8);
        float[] weights = [.. network["fc1.weight"].Values];
        network = network.With("fc1.weight", Array.ConvertAll(weights, value => Math.Abs(value) + 0.1f));
        Assert.IsLessThanOrEqualTo(1, Steps(QuantizationTarget.Any), "7 bits");
        Assert.IsGreaterThan(10, Steps(QuantizationTarget.DotProducts), "8 bits");

        float Steps(QuantizationTarget target)
        {
            var quantized = network.Quantize(Quantizer.Int8(), rows, target: target);
            var shown = new Network(quantized.Parts with { Outputs = [.. quantized.Graph.Outputs, .. Rounded(quantized)] });
            var bytes = OnnxWriter.Write(shown).ToByteArray();
            long[] shape = [Rows, 64];
            var fused = Avx2Runtime.Call<Dictionary<string, float[]>>(Compute, bytes, true, rows, shape);
            var plain = Compute(bytes, false, rows, shape);
            return Rounded(quantized).Max(tensor => fused[tensor].Zip(plain[tensor]).Max(pair => Math.Abs(pair.First - pair.Second)));
        }
    }

    [TestMethod]
    [RequiresAvx2]
    [DynamicData(nameof(Chains))]
    public void Integers_between_layers_are_within_a_step_on_processors_that_add_in_16_bits(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var rows = Draw(network, 3, scale: 8);
        var quantized = network.Quantize(Quantizer.Int8(), rows);
        var bytes = OnnxWriter.Write(new Network(quantized.Parts with { Outputs = [.. quantized.Graph.Outputs, .. Rounded(quantized)] })).ToByteArray();
        var (fused, plain) = (Avx2Runtime.Call<Dictionary<string, float[]>>(Compute, bytes, true, rows, Shape(network)),
            Compute(bytes, false, rows, Shape(network)));
        foreach (var tensor in Rounded(quantized))
        {
            Assert.IsLessThanOrEqualTo(1, fused[tensor].Zip(plain[tensor]).Max(pair => Math.Abs(pair.First - pair.Second)), $"{name} {tensor}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void Integers_between_layers_are_within_a_step_with_and_without_kernels_for_them(string name, Network chain)
    {
        var network = chain.Initialize(7);
        // Wide values, for which sums of products of 8 bits would saturate where the processor adds pairs in 16 bits.
        var rows = Draw(network, 3, scale: 8);
        var quantized = network.Quantize(Quantizer.Int8(), rows);
        var tensors = Rounded(quantized);
        var shown = new Network(quantized.Parts with { Outputs = [.. quantized.Graph.Outputs, .. tensors] });
        var (fused, plain) = (Run(shown, GraphOptimizationLevel.ORT_ENABLE_ALL, rows), Run(shown, GraphOptimizationLevel.ORT_DISABLE_ALL, rows));
        foreach (var tensor in tensors)
        {
            var steps = fused[tensor].Zip(plain[tensor]).Select(pair => Math.Abs(pair.First - pair.Second)).ToArray();
            Assert.IsLessThanOrEqualTo(1, steps.Max(), $"{name} {tensor}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void All_products_are_fused_to_integers(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var quantized = network.Quantize(Quantizer.Int8(), Draw(network, 3, scale: 1));
        var operators = OptimizedModel.Operators(quantized);
        Assert.DoesNotContain("Conv", operators, name);
        Assert.DoesNotContain("Gemm", operators, name);
        Assert.DoesNotContain("Relu", operators, name);
        Assert.HasCount(network.Nodes.Count(node => node.Operator == "Conv"), operators.Where(one => one == "QLinearConv"));
        Assert.HasCount(network.Nodes.Count(node => node.Operator == "Gemm"), operators.Where(one => one == "QGemm"));
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void Signed_bytes_stand_for_the_same_values_and_are_fused_as_unsigned_ones(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var rows = Draw(network, 3, scale: 8);
        var (signed, unsigned) = (network.Quantize(Quantizer.Int8(signed: true), rows), network.Quantize(Quantizer.Int8(), rows));
        Assert.AreSequenceEqual(Run(unsigned, GraphOptimizationLevel.ORT_DISABLE_ALL, rows)[unsigned.Output.Name],
            Run(signed, GraphOptimizationLevel.ORT_DISABLE_ALL, rows)[signed.Output.Name], name);
        var (tensors, shown) = (Rounded(signed), new Network(signed.Parts with { Outputs = [.. signed.Graph.Outputs, .. Rounded(signed)] }));
        var (fused, plain) = (Run(shown, GraphOptimizationLevel.ORT_ENABLE_ALL, rows), Run(shown, GraphOptimizationLevel.ORT_DISABLE_ALL, rows));
        Assert.IsLessThan(0, tensors.Min(tensor => plain[tensor].Min()));
        foreach (var tensor in tensors)
        {
            Assert.IsLessThanOrEqualTo(1, fused[tensor].Zip(plain[tensor]).Max(pair => Math.Abs(pair.First - pair.Second)), $"{name} {tensor}");
        }

        // Sums of signed bytes are not fused on x64, nor the convolutions around them.
        if (signed.Nodes.All(node => node.Operator != "Add"))
        {
            Assert.AreSequenceEqual(OptimizedModel.Operators(unsigned).Order(), OptimizedModel.Operators(signed).Order(), name);
        }

        using var file = new MemoryStream(OnnxWriter.Write(signed).ToByteArray());
        var read = Network.FromOnnx(file);
        Assert.AreSequenceEqual(fused[signed.Output.Name], Run(read, GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[read.Output.Name], name);
        using var scorer = new TorchScorer(signed, softmax: false, Rows);
        rows.CopyTo(scorer.Rows, 0);
        scorer.Run(Rows);
        var scores = Enumerable.Range(0, Rows).SelectMany(row => scorer.Scores(row).ToArray()).ToArray();
        using var other = new TorchScorer(unsigned, softmax: false, Rows);
        rows.CopyTo(other.Rows, 0);
        other.Run(Rows);
        Assert.AreSequenceEqual(Enumerable.Range(0, Rows).SelectMany(row => other.Scores(row).ToArray()), scores, name);
    }

    [TestMethod]
    public void All_convolutions_of_resnet18_are_fused_with_its_sums()
    {
        var network = Network.FromOnnx(new ZooArchive("networks").Get("resnet18").Path);
        var random = new Random(1);
        var quantized = network.Quantize(Quantizer.Int8(), [.. Enumerable.Range(0, 2 * network.Input.RowSize).Select(_ => 2 * random.NextSingle() - 1)]);
        var operators = OptimizedModel.Operators(quantized);
        Assert.HasCount(20, operators.Where(one => one == "QLinearConv"));
        Assert.HasCount(8, operators.Where(one => one == "QLinearAdd"));
        Assert.DoesNotContain("Conv", operators);
        Assert.DoesNotContain("Add", operators);
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void Libtorch_computes_what_the_standard_says_to_a_step(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var rows = Draw(network, 3, scale: 2);
        var quantized = network.Quantize(Quantizer.Int8(), rows);
        foreach (var node in quantized.Nodes.Where(node => node.Operator == "QuantizeLinear"))
        {
            var shown = new Network((quantized.Parts with { Outputs = [quantized.Consumers(node.Outputs[0]).Single().Outputs[0]] }).Needed());
            var plain = Run(shown, GraphOptimizationLevel.ORT_DISABLE_ALL, rows)[shown.Output.Name];
            using var scorer = new TorchScorer(shown, softmax: false, Rows);
            rows.CopyTo(scorer.Rows, 0);
            scorer.Run(Rows);
            var scores = Enumerable.Range(0, Rows).SelectMany(row => scorer.Scores(row).ToArray());
            Assert.IsLessThanOrEqualTo(1.0001f * quantized[node.Inputs[1]].Values[0],
                scores.Zip(plain).Max(pair => Math.Abs(pair.First - pair.Second)), $"{name} {node.Inputs[0]}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void A_quantised_file_is_read_as_it_was_written(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var rows = Draw(network, 3, scale: 1);
        foreach (var quantizer in new[] { Quantizer.Int8(), Quantizer.Int8(perChannel: false), Quantizer.Weights(3), Quantizer.Weights(5, symmetric: false),
            Quantizer.Weights(2), Quantizer.Ternary, Quantizer.Binary, Quantizer.Float16 })
        {
            var quantized = network.Quantize(quantizer, rows);
            var folder = Directory.CreateTempSubdirectory();
            quantized.SaveOnnx(Path.Combine(folder.FullName, "first.onnx"));
            var read = Network.FromOnnx(Path.Combine(folder.FullName, "first.onnx"));
            foreach (var parameter in quantized.Parameters)
            {
                Assert.AreSequenceEqual(parameter.Values.ToArray(), read[parameter.Name].Values.ToArray(), $"{name} {quantizer} {parameter}");
            }

            Assert.AreSequenceEqual(Run(quantized, GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[quantized.Output.Name],
                Run(read, GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[read.Output.Name], $"{name} {quantizer}");
            folder.Delete(recursive: true);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Chains))]
    public void What_onnx_runtime_fuses_to_integers_is_read_counted_and_pruned_as_what_it_stands_for(string name, Network chain)
    {
        var network = chain.Initialize(7);
        var rows = Draw(network, 3, scale: 1);
        var quantized = network.Quantize(Quantizer.Int8(), rows);
        using var optimized = new MemoryStream(OptimizedModel.Bytes(quantized));
        var read = Network.FromOnnx(optimized);
        Assert.AreEqual(quantized.ParameterCount, read.ParameterCount, name);
        Assert.HasCount(quantized.Groups().Count, read.Groups(), name);
        Close.AreEqual(Run(quantized, GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[quantized.Output.Name],
            Run(read, GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[read.Output.Name], 0.02, name);
        var groups = read.Groups().Where((_, i) => i % 3 == 0).ToArray();
        Close.AreEqual(Run(read.Mask(groups), GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[read.Output.Name],
            Run(read.Remove(groups), GraphOptimizationLevel.ORT_ENABLE_ALL, rows)[read.Output.Name], 0.02, name);
    }

    /// <summary>The tensors of integers.</summary>
    private static string[] Rounded(Network network)
        => [.. network.Nodes.Where(node => node.Operator == "QuantizeLinear").Select(node => node.Outputs[0])];

    private static long[] Shape(Network network) => [Rows, .. network.Input.Shape.Skip(1).Select(size => (long)size)];

    private static Dictionary<string, float[]> Run(Network network, GraphOptimizationLevel level, float[] rows)
        => Compute(OnnxWriter.Write(network).ToByteArray(), level == GraphOptimizationLevel.ORT_ENABLE_ALL, rows, Shape(network));

    /// <summary>What ONNX Runtime computes, integers as floats.</summary>
    private static Dictionary<string, float[]> Compute(byte[] model, bool isOptimized, float[] rows, long[] shape)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = isOptimized ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL, IntraOpNumThreads = 1,
        };
        using var session = new InferenceSession(model, options);
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, shape);
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second.GetTensorTypeAndShape().ElementDataType switch
        {
            TensorElementType.UInt8 => Array.ConvertAll(pair.Second.GetTensorDataAsSpan<byte>().ToArray(), value => (float)value),
            TensorElementType.Int8 => Array.ConvertAll(pair.Second.GetTensorDataAsSpan<sbyte>().ToArray(), value => (float)value),
            _ => pair.Second.GetTensorDataAsSpan<float>().ToArray(),
        });
    }

    private static float[] Draw(Network network, int seed, double scale)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Rows * network.Input.RowSize).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))];
    }
}
