using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public interface IDisposableReadOnlyCollection<T> : IReadOnlyList<T>, IDisposable
{
}

internal sealed class DisposableList<T>(int capacity) : List<T>(capacity), IDisposableReadOnlyCollection<T>
    where T : IDisposable
{
    public void Dispose()
    {
        foreach (T item in this)
        {
            item.Dispose();
        }

        Clear();
    }
}

/// <summary>An output of a run: a tensor over native memory, which goes with this object.</summary>
public class DisposableNamedOnnxValue : NamedOnnxValue, IDisposable
{
    private readonly OrtValue _owner;

    private DisposableNamedOnnxValue(string name, object value, TensorElementType elementType, OrtValue owner)
        : base(name, value)
    {
        ElementType = elementType;
        _owner = owner;
    }

    public TensorElementType ElementType { get; }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _owner.Dispose();
        }
    }

    internal static DisposableNamedOnnxValue CreateFromOrtValue(string name, OrtValue value)
    {
        if (!value.IsTensor)
        {
            throw new NotSupportedException($"Output '{name}' is a {value.OnnxType}; only tensors are supported");
        }

        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        int[] dimensions = Array.ConvertAll(info.Shape, Convert.ToInt32);
        TensorBase tensor = info.ElementDataType switch
        {
            TensorElementType.Float => Over<float>(value, dimensions),
            TensorElementType.Double => Over<double>(value, dimensions),
            TensorElementType.Int8 => Over<sbyte>(value, dimensions),
            TensorElementType.UInt8 => Over<byte>(value, dimensions),
            TensorElementType.Int16 => Over<short>(value, dimensions),
            TensorElementType.UInt16 => Over<ushort>(value, dimensions),
            TensorElementType.Int32 => Over<int>(value, dimensions),
            TensorElementType.UInt32 => Over<uint>(value, dimensions),
            TensorElementType.Int64 => Over<long>(value, dimensions),
            TensorElementType.UInt64 => Over<ulong>(value, dimensions),
            TensorElementType.Bool => Over<bool>(value, dimensions),
            TensorElementType.Float16 => Over<Float16>(value, dimensions),
            TensorElementType.BFloat16 => Over<BFloat16>(value, dimensions),
            TensorElementType.String => new DenseTensor<string>(value.GetStringTensorAsArray(), dimensions),
            _ => throw new NotSupportedException($"Tensor of element type: {info.ElementDataType} is not supported"),
        };
        return new DisposableNamedOnnxValue(name, tensor, info.ElementDataType, value);
    }

    internal override OrtValue Lend(NodeMetadata metadata, out bool owned)
    {
        owned = true;
        return _owner;
    }

    private static DenseTensor<T> Over<T>(OrtValue value, int[] dimensions) => new(new NativeMemory<T>(value).Memory, dimensions);
}
