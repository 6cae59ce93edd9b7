namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>
/// Computes a tensor from others, all of them in the memory of a scorer. The steps of a program are shared by all that run it. What runs in them is compiled
/// at its best from the first call on: .NET else makes a method that takes several times as long first, and replaces it only after a while.
/// </summary>
internal abstract unsafe class SparseStep
{
    /// <summary>The layer it computes, with what is computed along with it.</summary>
    public required string Name { get; init; }

    /// <summary>The layer as a network of its own, for its time in ONNX Runtime; null for steps that are no layer.</summary>
    public Func<Network>? Part { get; init; }

    /// <summary>How it does: the kernel's name in reports.</summary>
    public abstract string Kernel { get; }

    /// <summary>Computes it for one image, or for all rows of a batch where it stands behind the images.</summary>
    /// <param name="memory">Where the tensors are.</param>
    /// <param name="row">The image, or the number of rows.</param>
    public abstract void Run(SparseMemory memory, int row);
}
