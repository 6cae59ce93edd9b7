using System.Diagnostics;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests;
using MLNet.Pruning.Tests.Compression.Quantization;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Networks of 8-bit integers in ONNX Runtime against the same in floats, on one thread.</summary>
internal static class QuantizationBenchmark
{
    private const int CalibrationRows = 8;

    public static void Run(Report report)
    {
        report.Section("8-bit integers in ONNX Runtime, one thread", "floats", "times as fast",
            """
            `network.Quantize(Quantizer.Int8(), rows)` with drawn weights and rows, weights of 7 bits as for any processor, both files in ONNX
            Runtime. Beside the time: how many of the convolutions ONNX Runtime's optimizer fused to products of integers. With AVX2 alone: both
            in a second ONNX Runtime that takes this processor for one without AVX-512 and VNNI.
            """);
        foreach (var (name, batch) in new[] { ("resnet18", 1), ("resnet18", 8) })
        {
            var network = Network.FromOnnx(new ZooArchive("networks").Get(name).Path);
            var quantized = network.Quantize(Quantizer.Int8(), Draw(CalibrationRows * network.Input.RowSize));
            var fused = OptimizedModel.Operators(quantized).Count(one => one == "QLinearConv");
            var rows = Draw(batch * network.Input.RowSize);
            long[] shape = [batch, .. network.Input.Shape.Skip(1).Select(size => (long)size)];
            foreach (var isAvx2 in Avx2Runtime.IsAvailable ? new[] { false, true } : [false])
            {
                Func<double> Of(Network which) => OnnxWriter.Write(which).ToByteArray() is var bytes && isAvx2
                    ? Avx2Runtime.Call<Func<double>>(Timer, bytes, rows, shape) : Timer(bytes, rows, shape);
                var (ours, theirs) = report.Interleave(Of(quantized), Of(network));
                report.Add(new($"{name}, {string.Join(" x ", shape)}, {fused} of {network.Nodes.Count(node => node.Operator == "Conv")} convolutions fused"
                    + (isAvx2 ? ", with AVX2 alone" : ""), ours, theirs, seconds => FormattableString.Invariant($"{1000 * seconds:n1} ms"),
                    (our, their) => their / our));
            }
        }
    }

    /// <summary>Times one run of a model, on one thread.</summary>
    private static Func<double> Timer(byte[] model, float[] rows, long[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        var session = new InferenceSession(model, options);
        return () =>
        {
            using var run = new RunOptions();
            using var input = OrtValue.CreateTensorValueFromMemory(rows, shape);
            var watch = Stopwatch.StartNew();
            using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
            return watch.Elapsed.TotalSeconds;
        };
    }

    private static float[] Draw(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
