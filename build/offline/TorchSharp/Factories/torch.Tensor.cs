using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Float32, null, device, requires_grad);

    public static Tensor tensor(int scalar, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Int32, null, device, requires_grad);

    public static Tensor tensor(byte scalar, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Byte, null, device, requires_grad);

    public static Tensor tensor(sbyte scalar, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Int8, null, device, requires_grad);

    public static Tensor tensor(short scalar, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Int16, null, device, requires_grad);

    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Float64, dtype, device, requires_grad);

    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Int64, dtype, device, requires_grad);

    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => FromScalar(scalar, ScalarType.Bool, dtype, device, requires_grad);

    public static Tensor tensor(float[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<float>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(float[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<float>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(float[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromArrayCopy(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(double[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<double>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(double[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<double>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(double[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromArrayCopy(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(long[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<long>(dataArray, [dataArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(long[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<long>(dataArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(long[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromArrayCopy(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(int[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<int>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(int[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<int>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(int[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromArrayCopy(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(bool[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<bool>(rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(bool[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromSpan<bool>(rawArray, dimensions, dtype, device, requires_grad, names);

    public static Tensor tensor(bool[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => FromArrayCopy(rawArray, dtype, device, requires_grad, names);

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    // Without a copy, like frombuffer.
    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false, string[]? names = null)
    {
        Device target = InitializeDevice(device);
        Tensor tensor = Borrow(rawArray, Sizes(rawArray), offset: 0);
        bool convert = (dtype ?? tensor.dtype) != tensor.dtype || target.type != DeviceType.CPU;
        return Finish(convert ? tensor.to(dtype ?? tensor.dtype, target, disposeAfter: true) : tensor, requires_grad, names);
    }

    // Without a copy: the tensor lives on the array's own memory, which stays pinned for as long as the tensor's storage does.
    public static Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        long length = rawArray.LongLength;
        if (offset < 0 || offset >= length)
        {
            throw new ArgumentException($"invalid value for 'offset': {offset}");
        }

        long size = count < 0 ? length - offset : count;
        if (size > length - offset)
        {
            throw new IndexOutOfRangeException($"element count is too large: {size}");
        }

        Tensor tensor = Borrow(rawArray, [size], offset);
        return Finish(tensor.dtype == dtype ? tensor : tensor.to_type(dtype, disposeAfter: true), requires_grad, null);
    }

    internal static Tensor tensor(Scalar scalar)
        => FromScalar(scalar, scalar.Type == ScalarType.Float64 ? get_default_dtype() : scalar.Type, null, null, false);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Unpin(nint pin) => GCHandle.FromIntPtr(pin).Free();

    private static long[] Sizes(Array array)
    {
        var sizes = new long[array.Rank];
        for (int i = 0; i < sizes.Length; i++)
        {
            sizes[i] = array.GetLongLength(i);
        }

        return sizes;
    }

    // The array stays pinned for as long as the tensor's storage lives, views of it included.
    private static Tensor Borrow(Array array, ReadOnlySpan<long> sizes, long offset)
    {
        ScalarType type = ScalarTypeOf(array.GetType().GetElementType()!);
        GCHandle pin = GCHandle.Alloc(array, GCHandleType.Pinned);
        byte* data = (byte*)pin.AddrOfPinnedObject() + (offset * type.ElementSize());
        nint handle;
        fixed (long* shape = sizes)
        {
            int status = NativeMethods.ts_borrow(data, shape, sizes.Length, (int)type, &Unpin, GCHandle.ToIntPtr(pin), &handle);
            if (status != 0)
            {
                pin.Free();
                NativeMethods.Check(status);
            }
        }

        return new Tensor(handle);
    }

    private static Tensor FromArrayCopy(Array array, ScalarType? dtype, Device? device, bool requiresGrad, string[]? names)
    {
        fixed (byte* data = &MemoryMarshal.GetArrayDataReference(array))
        {
            return FromMemory(data, Sizes(array), ScalarTypeOf(array.GetType().GetElementType()!), dtype, device, requiresGrad, names);
        }
    }

    private static Tensor FromScalar(Scalar value, ScalarType type, ScalarType? dtype, Device? device, bool requiresGrad)
        => Finish(Operator.Call("scalar_tensor", value, dtype ?? type, default, InitializeDevice(device)), requiresGrad, null);

    private static Tensor FromSpan<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> sizes, ScalarType? dtype, Device? device, bool requiresGrad, string[]? names)
        where T : unmanaged
    {
        // Arrays may be larger than the tensor, never smaller.
        long count = 1;
        foreach (long size in sizes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(sizes));
            count = checked(count * size);
        }

        if (count > values.Length)
        {
            throw new ArgumentException($"mismatched total size creating a tensor from an array: {count} vs. {values.Length}");
        }

        fixed (T* data = values)
        {
            return FromMemory(data, sizes, ScalarTypeOf(typeof(T)), dtype, device, requiresGrad, names);
        }
    }

    private static Tensor FromMemory(void* data, ReadOnlySpan<long> sizes, ScalarType type, ScalarType? dtype, Device? device, bool requiresGrad, string[]? names)
    {
        Device target = InitializeDevice(device);
        nint handle;
        fixed (long* shape = sizes)
        {
            NativeMethods.Check(NativeMethods.ts_copy_from(data, shape, sizes.Length, (int)type, &handle));
        }

        var tensor = new Tensor(handle);
        bool convert = (dtype ?? type) != type || target.type != DeviceType.CPU;
        return Finish(convert ? tensor.to(dtype ?? type, target, disposeAfter: true) : tensor, requiresGrad, names);
    }
}
