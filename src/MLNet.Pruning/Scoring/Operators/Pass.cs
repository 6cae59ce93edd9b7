using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring.Operators;

/// <summary>One run of a graph: the tensors that are there so far, by slot.</summary>
/// <param name="slots">Number of slots.</param>
/// <param name="training">Whether dropout drops and batch normalisation uses the batch's statistics.</param>
/// <param name="random">Source of dropout's choices; needed only in training.</param>
internal sealed class Pass(int slots, bool training, Generator? random)
{
    private readonly Tensor?[] _values = new Tensor?[slots];

    public bool Training => training;

    public Generator? Random => random;

    public Tensor this[int slot]
    {
        get => _values[slot]!;
        set => _values[slot] = value;
    }

    /// <summary>The tensor of an optional operand; null where it is left out.</summary>
    public Tensor? Find(int slot) => slot == OperatorContext.Absent ? null : _values[slot];

    /// <summary>Gives up a tensor that nothing reads any more; what a backward pass needs of it the native side keeps itself.</summary>
    public void Free(int slot)
    {
        _values[slot]?.Dispose();
        _values[slot] = null;
    }
}
