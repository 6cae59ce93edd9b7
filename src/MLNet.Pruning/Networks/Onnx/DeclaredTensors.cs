using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors as a file declares them.</summary>
internal static class DeclaredTensors
{
    /// <param name="info">Name, type and shape of an input, an output or a tensor between.</param>
    /// <param name="symbols">Where sizes that are open get their numbers.</param>
    public static TensorInfo Of(ValueInfoProto info, Symbols symbols)
    {
        var type = info.Type?.TensorType;
        if (type?.Shape is null)
        {
            return new TensorInfo(info.Name, default) { Type = (TensorType)(type?.ElemType ?? 0) };
        }

        var batch = symbols.Name(TensorInfo.Batch);
        var shape = type.Shape.Dim.Select((dim, i) => OpenSizes.IsOpen(dim) ? symbols.Open(OpenSizes.Name(info, i, batch), (info.Name, i))
            : checked((int)dim.DimValue));
        return new TensorInfo(info.Name, [.. shape]) { Type = (TensorType)type.ElemType };
    }
}
