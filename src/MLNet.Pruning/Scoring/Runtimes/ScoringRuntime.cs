namespace MLNet.Pruning;

/// <summary>What computes the scores of a network.</summary>
public enum ScoringRuntime
{
    /// <summary>
    /// Whichever was timed fastest on this machine, for single rows and for batches apart: ONNX Runtime until <c>Compact()</c> or <c>WithRuntime</c> has
    /// timed it, libtorch for what ONNX Runtime does not run.
    /// </summary>
    Auto,

    /// <summary>ONNX Runtime, on memory that is bound once.</summary>
    OnnxRuntime,

    /// <summary>
    /// Managed kernels whose work follows the non-zeros of dense layers and convolutions, on the calling thread; what has no managed form is computed by ONNX
    /// Runtime in between. Networks of one input, of rows of values or images, whose tensors are of these two kinds. Layers of static 8-bit integers
    /// (<see cref="Quantizer.Int8"/>, weights of 7 bits) multiply integers, and give the bytes of ONNX Runtime's kernels.
    /// </summary>
    Sparse,

    /// <summary>libtorch, on the CPU.</summary>
    Torch,
}
