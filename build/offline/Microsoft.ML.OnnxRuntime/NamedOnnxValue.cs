using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A managed tensor under the name of an input or output.</summary>
public class NamedOnnxValue
{
    internal NamedOnnxValue(string name, object value)
    {
        Name = name;
        Value = value;
    }

    public string Name { get; set; }

    public object Value { get; set; }

    public OnnxValueType ValueType => OnnxValueType.ONNX_TYPE_TENSOR;

    public static NamedOnnxValue CreateFromTensor<T>(string name, Tensor<T> value) => new(name, value);

    /// <summary>The value, or null where it is not a tensor of that type.</summary>
    public Tensor<T>? AsTensor<T>() => Value as Tensor<T>;

    public IEnumerable<T>? AsEnumerable<T>() => Value as IEnumerable<T>;

    /// <summary>The native value of a run. The caller disposes of it where it is not this object's own.</summary>
    internal virtual OrtValue Lend(NodeMetadata metadata, out bool owned)
    {
        if (!metadata.IsTensor)
        {
            throw new OnnxRuntimeException(
                ErrorCode.RuntimeException,
                $"NamedOnnxValue: {Name} has value type: {ValueType} expected: {metadata.OnnxValueType} after optional type adjustment");
        }

        if (Value is not TensorBase tensor)
        {
            throw new OnnxRuntimeException(
                ErrorCode.InvalidArgument, $"NamedOnnxValue contains: {Value?.GetType().ToString() ?? "null"}, expecting a Tensor<T>");
        }

        OrtValue value = tensor.ToOrtValue();
        TensorElementType element = value.GetTensorTypeAndShape().ElementDataType;
        if (element != metadata.ElementDataType)
        {
            value.Dispose();
            throw new OnnxRuntimeException(
                ErrorCode.InvalidArgument, $"Tensor element data type discovered: {element} metadata expected: {metadata.ElementDataType}");
        }

        owned = false;
        return value;
    }
}
