using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors of a file as values: floats and integers are known, all else is carried.</summary>
/// <param name="file">Name for messages.</param>
/// <param name="folder">Where external data lies; null where there can be none.</param>
internal sealed class TensorReader(string file, string? folder)
{
    /// <summary>The values; null for types that are carried.</summary>
    public FoldedValue? Known(TensorProto tensor, string name) => (TensorType)tensor.DataType switch
    {
        TensorType.Float or TensorType.Float16 or TensorType.BFloat16 or TensorType.Double =>
            new((TensorType)tensor.DataType, Shape(tensor.Dims, name), null, OnnxTensor.ToFloats(tensor, folder)),
        TensorType.Int64 or TensorType.Int32 or TensorType.Int16 or TensorType.Int8 or TensorType.UInt8 or TensorType.UInt16 or TensorType.UInt32
            or TensorType.Bool or TensorType.Int4 or TensorType.UInt4 or TensorType.Int2 or TensorType.UInt2
            => Closed(new((TensorType)tensor.DataType, Shape(tensor.Dims, name), OnnxTensor.ToLongs(tensor, folder), null)),
        _ => null,
    };

    /// <summary>Numbers that stand for open sizes while a file is read are none in the file itself: such a tensor is carried.</summary>
    private static FoldedValue? Closed(FoldedValue value) => value.IsOpen ? null : value;

    /// <summary>The values of a tensor that lists its non-zeros.</summary>
    public FoldedValue Known(SparseTensorProto tensor, string name)
        => new(TensorType.Float, Shape(tensor.Dims, name), null, OnnxTensor.ToFloats(tensor, folder));

    /// <summary>A tensor of another type, as it is.</summary>
    public Constant Carried(TensorProto tensor, string name) => new(name, (TensorType)tensor.DataType, Shape(tensor.Dims, name), default, tensor);

    /// <summary>What a Constant node holds beside a tensor; null for text.</summary>
    public FoldedValue? Known(AttributeProto attribute, string name) => attribute.Name switch
    {
        "sparse_value" => Known(attribute.SparseTensor, name),
        "value_float" => new(TensorType.Float, [], null, [attribute.F]),
        "value_floats" => new(TensorType.Float, [attribute.Floats.Count], null, [.. attribute.Floats]),
        "value_int" => Closed(new(TensorType.Int64, [], [attribute.I], null)),
        "value_ints" => Closed(new(TensorType.Int64, [attribute.Ints.Count], [.. attribute.Ints], null)),
        _ => null,
    };

    private ImmutableArray<int> Shape(IEnumerable<long> dims, string name)
        => dims.Any(size => size > int.MaxValue) ? throw new OnnxFormatException($"{file}: tensor '{name}' has the dimensions {string.Join(" x ", dims)}; "
            + $"expected at most {int.MaxValue} in each.")
            : [.. dims.Select(size => (int)size)];
}
