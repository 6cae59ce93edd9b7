using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Tensors;

/// <summary>The memory of a native value as managed code sees it: refused once the value is disposed of.</summary>
internal sealed unsafe class NativeMemory<T>(OrtValue value) : MemoryManager<T>
{
    public override Span<T> GetSpan() => value.SpanOf<T>();

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        Span<T> span = GetSpan();
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)span.Length, nameof(elementIndex));

        // The value is kept alive by the pin.
        bool added = false;
        value.Handle.DangerousAddRef(ref added);
        return new MemoryHandle(Unsafe.AsPointer(ref MemoryMarshal.GetReference(span[elementIndex..])), pinnable: this);
    }

    public override void Unpin() => value.Handle.DangerousRelease();

    protected override void Dispose(bool disposing)
    {
    }
}
