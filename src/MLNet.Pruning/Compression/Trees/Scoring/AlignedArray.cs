namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// Numbers at one place in memory, from the start of a cache line on, so that no vector lies across two. Memory of the garbage collector, which nobody has to
/// free: whoever uses <see cref="Start"/> keeps the array alive meanwhile.
/// </summary>
internal sealed unsafe class AlignedArray<T> where T : unmanaged
{
    private const int Line = 64;

    private readonly byte[] _memory;

    public AlignedArray(int length)
    {
        _memory = GC.AllocateArray<byte>(checked(length * sizeof(T) + Line), pinned: true);
        var start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        Length = length;
        Start = (T*)((start + Line - 1) & -Line);
    }

    public AlignedArray(IReadOnlyCollection<T> values) : this(values.Count)
    {
        foreach (var (i, value) in values.Index())
        {
            Span[i] = value;
        }
    }

    public int Length { get; }

    public T* Start { get; }

    public Span<T> Span => new(Start, Length);
}
