using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>Brings the rows to score to where the first layer reads them: side by side, or as the channels of one image.</summary>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="width">Values of a row.</param>
/// <param name="planes">The channels; null for rows side by side.</param>
internal sealed unsafe class ReadStep(int output, int width, Planes? planes) : SparseStep
{
    public override string Kernel => "copy";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        if (planes is not null)
        {
            PlaneCopy.Spread(new(memory.Rows + (nint)row * width, width), memory.Span(output), planes);
        }
        else if (memory.Stride == 1)
        {
            new Span<float>(memory.Rows, width).CopyTo(memory.Span(output));
        }
        else
        {
            Transposition.Run(memory.Rows, width, memory.Count, memory[output], memory.Stride);
        }
    }
}
