using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Scoring.Profiling;

/// <summary>A node of the graph that ONNX Runtime made of a network, and how long it runs.</summary>
/// <param name="Node">The node.</param>
/// <param name="Covers">What it computes of the network: several nodes where they were fused.</param>
/// <param name="Milliseconds">Of a run.</param>
internal sealed record KernelTime(NodeProto Node, ImmutableArray<Node> Covers, double Milliseconds)
{
    private const string BlockedDomain = "com.microsoft.nchwc";

    /// <summary>Whether it works on images in blocks of channels, which is the fast layout of convolutions.</summary>
    public bool IsBlocked => Node.Domain == BlockedDomain;

    /// <summary>Whether it only changes between that layout and the network's.</summary>
    public bool IsReorder => IsBlocked && Node.OpType.StartsWith("Reorder", StringComparison.Ordinal);

    /// <summary>The operator, and whether its images are in blocks.</summary>
    public string Operator => IsBlocked && !IsReorder ? $"{Node.OpType} NCHWc" : Node.OpType;
}
