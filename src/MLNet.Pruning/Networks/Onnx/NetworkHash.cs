using System.Security.Cryptography;
using Google.Protobuf;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tells networks apart by all that is in them.</summary>
internal static class NetworkHash
{
    /// <summary>The SHA-256 of its ONNX file, in hexadecimal digits.</summary>
    public static string Of(Network network) => Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.Write(network).ToByteArray()));
}
