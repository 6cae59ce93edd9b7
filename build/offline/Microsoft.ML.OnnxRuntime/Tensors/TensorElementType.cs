namespace Microsoft.ML.OnnxRuntime.Tensors;

public enum TensorElementType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    Complex64 = 14,
    Complex128 = 15,
    BFloat16 = 16,
    DataTypeMax = 17,
}

/// <summary>Which element type is which CLR type.</summary>
internal static class ElementTypes
{
    private static readonly Dictionary<Type, (TensorElementType Element, int Size)> s_byType = new()
    {
        [typeof(float)] = (TensorElementType.Float, 4),
        [typeof(byte)] = (TensorElementType.UInt8, 1),
        [typeof(sbyte)] = (TensorElementType.Int8, 1),
        [typeof(ushort)] = (TensorElementType.UInt16, 2),
        [typeof(short)] = (TensorElementType.Int16, 2),
        [typeof(int)] = (TensorElementType.Int32, 4),
        [typeof(long)] = (TensorElementType.Int64, 8),
        [typeof(string)] = (TensorElementType.String, 0),
        [typeof(bool)] = (TensorElementType.Bool, 1),
        [typeof(Float16)] = (TensorElementType.Float16, 2),
        [typeof(double)] = (TensorElementType.Double, 8),
        [typeof(uint)] = (TensorElementType.UInt32, 4),
        [typeof(ulong)] = (TensorElementType.UInt64, 8),
        [typeof(BFloat16)] = (TensorElementType.BFloat16, 2),
    };

    private static readonly Dictionary<TensorElementType, (Type Type, int Size)> s_byElement =
        s_byType.ToDictionary(pair => pair.Value.Element, pair => (pair.Key, pair.Value.Size));

    public static (TensorElementType Element, int Size) Of(Type type) => s_byType.TryGetValue(type, out var found)
        ? found
        : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Tensor of type: {type} is not supported");

    public static (Type Type, int Size) Of(TensorElementType element) => s_byElement.TryGetValue(element, out var found)
        ? found
        : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Element type: {element} is not registered type.");
}
