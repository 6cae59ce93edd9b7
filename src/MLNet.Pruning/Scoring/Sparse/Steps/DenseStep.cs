using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>A dense layer: a single row in the layout that suits its zeros, the rows of a batch side by side.</summary>
internal sealed unsafe class DenseStep : SparseStep
{
    private readonly int _input;
    private readonly int _output;
    private readonly bool _relu;
    private readonly Lazy<IVectorProduct> _single;
    private readonly Lazy<SparseProduct> _batch;

    /// <param name="input">Buffer of what it reads.</param>
    /// <param name="output">Buffer of what it gives.</param>
    /// <param name="weights">Outputs x inputs.</param>
    /// <param name="bias">One for each output.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    public DenseStep(int input, int output, float[] weights, float[] bias, bool relu)
    {
        (_input, _output, _relu) = (input, output, relu);
        _single = new(() => IVectorProduct.Of(weights, bias));
        _batch = new(() => new(weights, bias, [.. Enumerable.Range(0, weights.Length / bias.Length).Select(i => i * SparseMemory.Panel)],
            sizeof(float) * SparseMemory.Panel));
    }

    public override string Kernel => "sparse product";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        if (memory.Stride == 1)
        {
            _single.Value.Run(memory[_input], memory[_output], _relu);
        }
        else
        {
            _batch.Value.Run(memory[_input], memory[_output], memory.Stride, memory.Count, null, _relu);
        }
    }
}
