using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>The tensors of a program while it scores some rows, for one thread.</summary>
internal sealed unsafe class SparseMemory : IDisposable
{
    /// <summary>Rows of a batch that lie side by side and go through all layers together.</summary>
    public const int Panel = 64;

    /// <summary>Floats that kernels may read beyond a tensor.</summary>
    private const int Slack = 64;

    private readonly Aligned<float>[] _buffers;
    private readonly Dictionary<SparseStep, IDisposable> _states = [];

    /// <param name="buffers">Floats of each buffer: of an image, or of a row.</param>
    /// <param name="rows">Rows at a time.</param>
    public SparseMemory(ImmutableArray<SparseBuffer> buffers, int rows)
        => _buffers = [.. buffers.Select(buffer => new Aligned<float>(checked(buffer.Floats * (buffer.IsOfImage || rows == 1 ? 1 : Panel) + Slack)))];

    /// <summary>Where the rows at hand are read, one after another.</summary>
    public float* Rows { get; set; }

    /// <summary>Rows at hand, at most a <see cref="Panel"/>.</summary>
    public int Count { get; set; }

    /// <summary>From one value of a row to the next: values of a single row follow one another, those of several rows lie side by side.</summary>
    public int Stride => Count == 1 ? 1 : Panel;

    public float* this[int buffer] => _buffers[buffer].Pointer;

    public Span<float> Span(int buffer) => _buffers[buffer].Span;

    /// <summary>What a step needs besides its tensors, made when it first runs.</summary>
    public T State<T>(SparseStep step, Func<SparseStep, T> create) where T : IDisposable
    {
        if (!_states.TryGetValue(step, out var state))
        {
            _states.Add(step, state = create(step));
        }

        return (T)state;
    }

    public void Dispose() => Array.ForEach([.. _states.Values], state => state.Dispose());
}

/// <param name="Floats">Its size, for one row.</param>
/// <param name="IsOfImage">Whether it holds the channels of one image at a time, not values of all rows.</param>
internal readonly record struct SparseBuffer(int Floats, bool IsOfImage);
