using System.Diagnostics;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests;

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
            Runtime. Beside the time: how many of the convolutions ONNX Runtime's optimizer fused to products of integers.
            """);
        foreach (var (name, batch) in new[] { ("resnet18", 1), ("resnet18", 8) })
        {
            var network = Network.FromOnnx(new ZooArchive("networks").Get(name).Path);
            var quantized = network.Quantize(Quantizer.Int8(), Draw(CalibrationRows * network.Input.RowSize));
            using var floats = Session(network, out _);
            using var integers = Session(quantized, out var fused);
            var rows = Draw(batch * network.Input.RowSize);
            long[] shape = [batch, .. network.Input.Shape.Skip(1).Select(size => (long)size)];
            var (ours, theirs) = report.Interleave(() => Seconds(integers, rows, shape), () => Seconds(floats, rows, shape));
            report.Add(new($"{name}, {string.Join(" x ", shape)}, {fused.Count(one => one == "QLinearConv")} of "
                + $"{network.Nodes.Count(node => node.Operator == "Conv")} convolutions fused", ours, theirs,
                seconds => FormattableString.Invariant($"{1000 * seconds:n1} ms"), (our, their) => their / our));
        }
    }

    private static InferenceSession Session(Network network, out string[] operators)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "optimized.onnx");
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, OptimizedModelFilePath = path,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED };
        var session = new InferenceSession(OnnxWriter.Write(network).ToByteArray(), options);
        operators = [.. ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(node => node.OpType)];
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        return session;
    }

    private static double Seconds(InferenceSession session, float[] rows, long[] shape)
    {
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, shape);
        var watch = Stopwatch.StartNew();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return watch.Elapsed.TotalSeconds;
    }

    private static float[] Draw(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
