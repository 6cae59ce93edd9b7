namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>What a step computes of a network.</summary>
internal enum SparseKind
{
    Dense,
    Convolution,
    Pooling,
    GlobalPooling,
    Elementwise,
    Reshape,

    /// <summary>Floats to bytes.</summary>
    Quantize,

    /// <summary>Bytes to floats.</summary>
    Dequantize,

    /// <summary>A dense layer or a convolution of bytes by small integers; with a QuantizeLinear at its end it gives bytes again.</summary>
    Integer,

    /// <summary>The largest bytes of an image.</summary>
    BytePooling,

    /// <summary>The average of each channel of an image of bytes.</summary>
    ByteAverage,

    /// <summary>The sum of two tensors of bytes.</summary>
    ByteSum,

    /// <summary>Bytes as they are, in another shape.</summary>
    ByteReshape,

    /// <summary>Whatever has no managed form, or is faster without.</summary>
    Other,
}

/// <summary>Nodes of a network that one step computes: a layer with its bias, a sum with another tensor, a ReLU; or all between two such.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="Nodes">The nodes, the one that gives the step its name first.</param>
/// <param name="Inputs">
/// Names of the tensors that they read: of a convolution, what it moves over, then what is added to its result, if anything; of a sum, both of its terms.
/// </param>
/// <param name="Outputs">Names of the tensors that they give.</param>
/// <param name="Bias">Name of what is added to each output of a layer; null for nothing.</param>
/// <param name="Relu">Whether negative results become zero.</param>
internal sealed record SparseOperation(SparseKind Kind, ImmutableArray<Node> Nodes, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs,
    string? Bias = null, bool Relu = false)
{
    public Node Node => Nodes[0];

    public string Input => Inputs[0];

    public string Output => Outputs[0];

    /// <summary>What is added to the result of a convolution, or the second term of a sum; null for nothing.</summary>
    public string? Addend => Kind != SparseKind.Other && Inputs.Length > 1 ? Inputs[1] : null;
}
