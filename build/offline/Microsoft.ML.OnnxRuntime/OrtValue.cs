using System.Runtime.CompilerServices;
using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A native value, usually a tensor. Spans over it are good while it is neither disposed of nor collected.</summary>
public partial class OrtValue : IDisposable
{
    internal unsafe OrtValue(ValueHandle handle)
    {
        Handle = handle;
        int type;
        using var value = new Lease(handle);
        NativeApi.Check(NativeApi.GetValueType(value.Pointer, &type));
        OnnxType = (OnnxValueType)type;
    }

    public OnnxValueType OnnxType { get; }

    public bool IsTensor => OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;

    public bool IsSparseTensor => OnnxType == OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    internal ValueHandle Handle { get; }

    public ReadOnlySpan<T> GetTensorDataAsSpan<T>()
        where T : unmanaged => SpanOf<T>();

    public Span<T> GetTensorMutableDataAsSpan<T>()
        where T : unmanaged => SpanOf<T>();

    public Span<byte> GetTensorMutableRawData() => SpanOf<byte>();

    public OrtTensorTypeAndShapeInfo GetTensorTypeAndShape()
    {
        if (!IsTensor && !IsSparseTensor)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue type contains: {OnnxType}, not a tensor or sparse tensor");
        }

        using var value = new Lease(Handle);
        nint info = TypeAndShapeOf(value);
        try
        {
            return new OrtTensorTypeAndShapeInfo(info);
        }
        finally
        {
            Release(info);
        }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Handle.Dispose();
        }
    }

    /// <summary>The memory of a tensor, as its elements or as bytes.</summary>
    internal unsafe Span<T> SpanOf<T>()
    {
        if (!IsTensor)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"This OrtValue type contains: {OnnxType}, not a tensor");
        }

        using var value = new Lease(Handle);
        (TensorElementType element, long count) = ElementsOf(value);
        if (element == TensorElementType.String)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, "Strings are not supported by this API");
        }

        (Type type, int size) = ElementTypes.Of(element);
        if (typeof(T) != typeof(byte) && typeof(T) != type)
        {
            throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Requested type: {typeof(T)} does not match the actual type: {type}");
        }

        if (count == 0)
        {
            return [];
        }

        void* data;
        NativeApi.Check(NativeApi.GetTensorMutableData(value.Pointer, &data));
        return new Span<T>(data, checked((int)(count * size / Unsafe.SizeOf<T>())));
    }

    private static unsafe (TensorElementType Element, long Count) ElementsOf(Lease value)
    {
        nint info = TypeAndShapeOf(value);
        try
        {
            int element;
            nuint count;
            NativeApi.Check(NativeApi.GetTensorElementType(info, &element));
            NativeApi.Check(NativeApi.GetTensorShapeElementCount(info, &count));
            return ((TensorElementType)element, (long)count);
        }
        finally
        {
            Release(info);
        }
    }

    private static unsafe nint TypeAndShapeOf(Lease value)
    {
        nint info;
        NativeApi.Check(NativeApi.GetTensorTypeAndShape(value.Pointer, &info));
        return info;
    }

    private static unsafe void Release(nint typeAndShape) => NativeApi.ReleaseTensorTypeAndShapeInfo(typeAndShape);
}
