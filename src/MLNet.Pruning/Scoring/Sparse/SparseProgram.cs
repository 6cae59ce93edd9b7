using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>
/// A network as managed steps whose work follows the non-zeros of its weights. Images go through the convolutions one by one, so that they stay in the
/// caches; the values that come out of them, or the rows of a network without convolutions, lie side by side and go through the dense layers up to
/// <see cref="SparseMemory.Panel"/> at a time. Shared by all scorers of the network.
/// </summary>
/// <param name="Images">What each image goes through.</param>
/// <param name="Rows">What rows go through together.</param>
/// <param name="Buffers">Where their tensors are.</param>
/// <param name="Width">Values of a row.</param>
/// <param name="Outputs">Scores of a row.</param>
/// <param name="Output">Buffer of the scores.</param>
internal sealed record SparseProgram(ImmutableArray<SparseStep> Images, ImmutableArray<SparseStep> Rows, ImmutableArray<SparseBuffer> Buffers, int Width,
    int Outputs, int Output)
{
    public IEnumerable<SparseStep> Steps => Images.Concat(Rows);

    /// <summary>Computes the scores of rows.</summary>
    /// <param name="memory">Memory for as many rows at a time as there are, or for a panel.</param>
    /// <param name="rows">The rows, one behind another; not moved meanwhile.</param>
    /// <param name="count">How many.</param>
    /// <param name="scores">Receives the scores of each row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void Run(SparseMemory memory, float* rows, int count, Span<float> scores)
    {
        for (var start = 0; start < count; start += SparseMemory.Panel)
        {
            memory.Rows = rows + (nint)start * Width;
            memory.Count = Math.Min(SparseMemory.Panel, count - start);
            for (var image = 0; !Images.IsEmpty && image < memory.Count; image++)
            {
                foreach (var step in Images)
                {
                    step.Run(memory, image);
                }
            }

            foreach (var step in Rows)
            {
                step.Run(memory, memory.Count);
            }

            var result = memory.Span(Output);
            var stride = memory.Stride;
            for (var row = 0; row < memory.Count; row++)
            {
                for (var output = 0; output < Outputs; output++)
                {
                    scores[(start + row) * Outputs + output] = result[output * stride + row];
                }
            }
        }
    }

    /// <summary>Runs one step on rows, on what the steps before it left in the memory.</summary>
    public unsafe void RunStep(SparseMemory memory, SparseStep step, float* rows, int count)
    {
        var isOfImages = Images.Contains(step);
        for (var start = 0; start < count; start += SparseMemory.Panel)
        {
            memory.Rows = rows + (nint)start * Width;
            memory.Count = Math.Min(SparseMemory.Panel, count - start);
            for (var image = 0; image < (isOfImages ? memory.Count : 1); image++)
            {
                step.Run(memory, isOfImages ? image : memory.Count);
            }
        }
    }
}
