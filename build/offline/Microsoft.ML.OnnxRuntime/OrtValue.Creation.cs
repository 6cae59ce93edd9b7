using System.Buffers;
using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public partial class OrtValue
{
    /// <summary>A tensor over an array, which stays pinned until the value is disposed of.</summary>
    public static OrtValue CreateTensorValueFromMemory<T>(T[] data, long[] shape)
        where T : unmanaged => CreateOver<T>(data, shape);

    public static OrtValue CreateTensorValueFromMemory<T>(OrtMemoryInfo memoryInfo, Memory<T> memory, long[] shape)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(memoryInfo);
        return CreateOver(memory, shape);
    }

    /// <summary>A tensor over memory of its own, whose content is undefined.</summary>
    public static unsafe OrtValue CreateAllocatedTensorValue(OrtAllocator allocator, TensorElementType elementType, long[] shape)
    {
        ArgumentNullException.ThrowIfNull(allocator);
        ArgumentNullException.ThrowIfNull(shape);
        nint value;
        fixed (long* dimensions = shape)
        {
            NativeApi.Check(NativeApi.CreateTensorAsOrtValue(
                OrtAllocator.DefaultPointer, dimensions, (nuint)shape.Length, (int)elementType, &value));
        }

        return new OrtValue(new ValueHandle(value));
    }

    internal static unsafe OrtValue CreateOver<T>(Memory<T> memory, long[] shape)
    {
        (TensorElementType element, int size) = ElementTypes.Of(typeof(T));
        long elements = SizeOf(shape);
        if (elements > memory.Length)
        {
            throw new OnnxRuntimeException(
                ErrorCode.InvalidArgument, $"Managed memory size: {memory.Length} elements is less than shape size: {elements} elements");
        }

        MemoryHandle pin = memory.Pin();
        try
        {
            // The runtime refuses a null pointer, even to nothing.
            byte nothing = 0;
            nint value;
            fixed (long* dimensions = shape)
            {
                NativeApi.Check(NativeApi.CreateTensorWithDataAsOrtValue(
                    OrtMemoryInfo.DefaultPointer,
                    memory.IsEmpty ? &nothing : pin.Pointer,
                    (nuint)memory.Length * (nuint)size,
                    dimensions,
                    (nuint)shape.Length,
                    (int)element,
                    &value));
            }

            return new OrtValue(new ValueHandle(value, pin));
        }
        catch
        {
            pin.Dispose();
            throw;
        }
    }

    private static long SizeOf(long[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        long size = 1;
        foreach (long dimension in shape)
        {
            size = dimension >= 0
                ? checked(size * dimension)
                : throw new ArgumentOutOfRangeException(nameof(shape), $"Shape must not have negative elements: {dimension}");
        }

        return size;
    }
}
