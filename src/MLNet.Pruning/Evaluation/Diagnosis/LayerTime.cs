namespace MLNet.Pruning;

/// <summary>How long a layer runs, with what ONNX Runtime fused into it.</summary>
public sealed record LayerTime
{
    internal LayerTime(string name, IReadOnlyList<string> operators, double milliseconds, double share)
        => (Name, Operators, Milliseconds, Share) = (name, operators, milliseconds, share);

    /// <summary>Name of the layer, or of the last node of what runs without one.</summary>
    public string Name { get; }

    /// <summary>
    /// What ONNX Runtime runs for it, such as <c>FusedConv</c> for a convolution with its activation, <c>Conv NCHWc</c> for one in the blocked layout.
    /// </summary>
    public IReadOnlyList<string> Operators { get; }

    /// <summary>Of a run, by ONNX Runtime's profile.</summary>
    public double Milliseconds { get; }

    /// <summary>Share of the time of a run, in [0, 1].</summary>
    public double Share { get; }
}
