using System.Diagnostics;
using System.Runtime.Intrinsics;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Compression.Quantization;

namespace MLNet.Pruning.Benchmarks;

/// <summary>A network in ONNX Runtime on memory that is bound once, on one thread: what scoring is held against.</summary>
internal static class BoundModel
{
    /// <summary>Whether managed code does without AVX-512 where the processor has it, as DOTNET_EnableAVX512=0 says.</summary>
    public static bool IsHeldToAvx2 => Vector256.IsHardwareAccelerated && !Vector512.IsHardwareAccelerated && Avx2Runtime.IsAvailable
        && Machine.Kind.Contains("avx512f");

    /// <summary>Times runs of a batch of rows.</summary>
    /// <param name="network">The network.</param>
    /// <param name="rows">The rows, one after another.</param>
    /// <param name="batch">How many.</param>
    /// <returns>Runs it so many times, and gives the seconds that took.</returns>
    public static Func<int, double> Timer(Network network, float[] rows, int batch)
    {
        var bytes = OnnxWriter.Write(network).ToByteArray();
        long[] inputs = [batch, .. network.Input.Shape.Skip(1).Select(size => (long)size)], outputs = [batch, network.Output.RowSize];
        return IsHeldToAvx2 ? Avx2Runtime.Call<Func<int, double>>(Start, bytes, rows, inputs, outputs) : Start(bytes, rows, inputs, outputs);
    }

    private static Func<int, double> Start(byte[] model, float[] rows, long[] inputs, long[] outputs)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        var session = new InferenceSession(model, options);
        var run = new RunOptions();
        var (x, y) = (GC.AllocateArray<float>(rows.Length, pinned: true), GC.AllocateArray<float>((int)(outputs[0] * outputs[1]), pinned: true));
        var binding = session.CreateIoBinding();
        binding.BindInput(session.InputNames[0], OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, x.AsMemory(), inputs));
        binding.BindOutput(session.OutputNames[0], OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, y.AsMemory(), outputs));
        return count =>
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < count; i++)
            {
                // Rows come from somewhere: to copy them in is part of scoring.
                rows.CopyTo(x, 0);
                session.RunWithBinding(run, binding);
            }

            return watch.Elapsed.TotalSeconds;
        };
    }
}
