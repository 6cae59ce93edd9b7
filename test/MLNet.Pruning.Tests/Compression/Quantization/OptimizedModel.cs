using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>What ONNX Runtime's optimizer makes of a network.</summary>
internal static class OptimizedModel
{
    /// <summary>The file that it writes, with the fusions that any processor has.</summary>
    public static byte[] Bytes(Network network)
    {
        var folder = Directory.CreateTempSubdirectory();
        var path = Path.Combine(folder.FullName, "optimized.onnx");
        using var options = new SessionOptions { OptimizedModelFilePath = path, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED };
        using (new InferenceSession(OnnxWriter.Write(network).ToByteArray(), options))
        {
        }

        var written = File.ReadAllBytes(path);
        folder.Delete(recursive: true);
        return written;
    }

    /// <summary>The operators of its nodes.</summary>
    public static string[] Operators(Network network) => [.. ModelProto.Parser.ParseFrom(Bytes(network)).Graph.Node.Select(node => node.OpType)];
}
