using Microsoft.ML.OnnxRuntime.Interop;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public struct OrtTensorTypeAndShapeInfo
{
    internal unsafe OrtTensorTypeAndShapeInfo(nint info)
    {
        int element;
        nuint elements;
        NativeApi.Check(NativeApi.GetTensorElementType(info, &element));
        NativeApi.Check(NativeApi.GetTensorShapeElementCount(info, &elements));
        ElementDataType = (TensorElementType)element;
        ElementCount = (long)elements;
        Shape = DimensionsOf(info);
    }

    public TensorElementType ElementDataType { get; }

    public readonly bool IsString => ElementDataType == TensorElementType.String;

    public long ElementCount { get; }

    public readonly int DimensionsCount => Shape.Length;

    public long[] Shape { get; }

    internal static unsafe long[] DimensionsOf(nint info)
    {
        nuint rank;
        NativeApi.Check(NativeApi.GetDimensionsCount(info, &rank));
        long[] dimensions = new long[(int)rank];
        fixed (long* first = dimensions)
        {
            NativeApi.Check(NativeApi.GetDimensions(info, first, rank));
        }

        return dimensions;
    }
}
