using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>Scores batches of rows by a program of sparse kernels, on the calling thread. Serves one thread at a time; the program is shared.</summary>
internal sealed unsafe class SparseScorer : IBatchScorer
{
    private readonly SparseProgram _program;
    private readonly SparseMemory _memory;
    private readonly bool _softmax;
    private readonly float[] _scores;

    /// <param name="program">The network's program.</param>
    /// <param name="softmax">Whether scores are probabilities over the outputs; else the logits as they are.</param>
    /// <param name="batch">Rows at a time.</param>
    public SparseScorer(SparseProgram program, bool softmax, int batch)
    {
        (_program, _softmax) = (program, softmax);
        _memory = new(program.Buffers, batch);
        Rows = GC.AllocateUninitializedArray<float>(checked(batch * program.Width), pinned: true);
        _scores = new float[checked(batch * program.Outputs)];
    }

    // Pinned.
    private float* Address => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Rows));

    public int Width => _program.Width;

    public float[] Rows { get; }

    public ReadOnlySpan<float> Scores(int row) => _scores.AsSpan(row * _program.Outputs, _program.Outputs);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int count)
    {
        _program.Run(_memory, Address, count, _scores);
        for (var row = 0; _softmax && row < count; row++)
        {
            Probabilities.Softmax(_scores.AsSpan(row * _program.Outputs, _program.Outputs));
        }
    }

    /// <summary>Runs one step on the rows of the last batch, for its time.</summary>
    public void RunStep(SparseStep step, int count) => _program.RunStep(_memory, step, Address, count);

    public void Dispose() => _memory.Dispose();
}
