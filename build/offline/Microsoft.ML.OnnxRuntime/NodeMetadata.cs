using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>The type of an input or output. Sizes that differ from run to run are -1, and named where the model names them.</summary>
public class NodeMetadata
{
    private readonly TensorElementType _elementType;
    private readonly int[] _dimensions = [];
    private readonly string[] _symbolicDimensions = [];

    internal unsafe NodeMetadata(nint typeInfo)
    {
        int type;
        NativeApi.Check(NativeApi.GetOnnxTypeFromTypeInfo(typeInfo, &type));
        OnnxValueType = (OnnxValueType)type;
        if (!HasTensorType)
        {
            return;
        }

        nint info;
        NativeApi.Check(NativeApi.CastTypeInfoToTensorInfo(typeInfo, &info));
        if (info == 0)
        {
            throw new OnnxRuntimeException(ErrorCode.Fail, "TypeInfo cast to TensorTypeInfo failed. The object does not represent a tensor");
        }

        int element;
        NativeApi.Check(NativeApi.GetTensorElementType(info, &element));
        _elementType = (TensorElementType)element;
        _dimensions = Array.ConvertAll(OrtTensorTypeAndShapeInfo.DimensionsOf(info), dimension => (int)dimension);
        byte*[] names = new byte*[_dimensions.Length];
        fixed (byte** first = names)
        {
            NativeApi.Check(NativeApi.GetSymbolicDimensions(info, first, (nuint)names.Length));
        }

        _symbolicDimensions = new string[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            _symbolicDimensions[i] = Utf8.ToString(names[i]);
        }
    }

    public OnnxValueType OnnxValueType { get; }

    public bool IsTensor => OnnxValueType == OnnxValueType.ONNX_TYPE_TENSOR;

    public bool IsString => ElementDataType == TensorElementType.String;

    public int[] Dimensions => OfTensor(_dimensions);

    public string[] SymbolicDimensions => OfTensor(_symbolicDimensions);

    public TensorElementType ElementDataType => OfTensor(_elementType);

    public Type ElementType => ElementTypes.Of(ElementDataType).Type;

    private bool HasTensorType => IsTensor || OnnxValueType == OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    private T OfTensor<T>(T value) => HasTensorType
        ? value
        : throw new OnnxRuntimeException(ErrorCode.Fail, $"OnnxValueType must either be a tensor or sparse tensor, it is {OnnxValueType}");
}
