using System.Buffers;
using Google.Protobuf;

namespace MLNet.Pruning.Networks.Format;

/// <summary>The bytes of a pinned array of floats, in which the values of a tensor are read so that a parameter need not copy them.</summary>
/// <param name="length">How many floats they are; their values are not set.</param>
internal sealed class FloatBytes(int length) : MemoryManager<byte>
{
    private readonly float[] _values = GC.AllocateUninitializedArray<float>(length, pinned: true);
    private int _isTaken;

    /// <summary>The array that a tensor's values lie in. It is handed out once: no two parameters have the same.</summary>
    /// <returns>The array; null where they lie elsewhere or it was handed out.</returns>
    public static float[]? Take(ByteString bytes)
        => MemoryMarshal.TryGetMemoryManager(bytes.Memory, out FloatBytes? own) && own.Memory.Length == bytes.Length
            && Interlocked.Exchange(ref own._isTaken, 1) == 0 ? own._values : null;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(_values.AsSpan());

    /// <inheritdoc/>
    public override unsafe MemoryHandle Pin(int elementIndex = 0)
        => new(Unsafe.AsPointer(ref MemoryMarshal.GetReference(GetSpan()[elementIndex..])), pinnable: this);

    /// <inheritdoc/>
    public override void Unpin()
    {
        // The array does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The collector's.
    }
}
