namespace MLNet.Pruning.Scoring;

/// <summary>
/// Memory of the garbage collector that stays where it is and starts at a cache line, so that no vector lies across two. Nobody has to free it: whoever uses
/// <see cref="Pointer"/> keeps this alive meanwhile.
/// </summary>
/// <typeparam name="T">What it holds.</typeparam>
internal sealed unsafe class Aligned<T> where T : unmanaged
{
    /// <summary>Bytes of a cache line, and of the widest vector.</summary>
    private const int Line = 64;

    private readonly byte[] _memory;

    /// <param name="length">Values; all zero.</param>
    public Aligned(int length)
    {
        _memory = GC.AllocateArray<byte>(checked(length * sizeof(T) + Line), pinned: true);
        var start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        Length = length;
        Pointer = (T*)((start + Line - 1) & -Line);
    }

    public Aligned(IReadOnlyCollection<T> values) : this(values.Count)
    {
        foreach (var (i, value) in values.Index())
        {
            Span[i] = value;
        }
    }

    public int Length { get; }

    public T* Pointer { get; }

    public Span<T> Span => new(Pointer, Length);
}
