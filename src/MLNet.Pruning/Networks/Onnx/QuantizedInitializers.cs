using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx.Expansions;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors of integers of a file that DequantizeLinear may make weights of.</summary>
/// <param name="folder">Where external data lies; null where there can be none.</param>
internal sealed class QuantizedInitializers(string? folder)
{
    private readonly Dictionary<string, TensorProto> _tensors = [];
    private readonly CodedInitializers _codes = new(folder);

    /// <summary>The weight that a node makes of integers of the file; null where it is another, or of another kind.</summary>
    public FoldedValue? Weight(Node node, IReadOnlyDictionary<string, FoldedValue> values)
        => node.Operator == "DequantizeLinear" ? Dequantize(node, values) : _codes.LookUp(node, values);

    /// <summary>The weight that a DequantizeLinear makes of integers of the file; null where it is of another kind.</summary>
    private FoldedValue? Dequantize(Node node, IReadOnlyDictionary<string, FoldedValue> values)
    {
        if (!_tensors.TryGetValue(node.Inputs[0], out var tensor) || node.Input(1) is not { } scaleName
            || values.GetValueOrDefault(scaleName) is not { Type: TensorType.Float, Floats: { Length: > 0 } scales } scale || !scales.All(float.IsFinite))
        {
            return null;
        }

        ImmutableArray<int> shape = [.. tensor.Dims.Select(size => (int)size)];
        var (block, axis) = ((int)node.Int("block_size", 0), (int)(node.Int("axis", 1) is var a && a < 0 ? a + shape.Length : a));
        axis = block == 0 && scales.Length == 1 ? -1 : axis;
        if (axis >= shape.Length || block < 0)
        {
            return null;
        }

        var zeros = node.Input(2) is { } zeroName ? values.GetValueOrDefault(zeroName)?.Ints : new long[scales.Length];
        var grid = new QuantizationGrid((TensorType)tensor.DataType, [.. scales], [.. zeros ?? []], node.Input(2) is not null, axis) { Block = block };
        // One scale may be of a tensor without dimensions, or of one value.
        return zeros?.Length != scales.Length || (axis >= 0 && block == 0 && shape[axis] != scales.Length)
            || (block > 0 && !grid.ScaleShape(shape).SequenceEqual(scale.Shape)) ? null
            : new(TensorType.Float, shape, null, grid.Dequantize(OnnxTensor.ToLongs(tensor, folder), shape)) { IsInitializer = true, Grid = grid,
                Source = new(tensor.Name, []) };
    }

    /// <summary>The weight that a MatMulNBits reads; null where it is of another form.</summary>
    public FoldedValue? Unpack(Node node, IReadOnlyDictionary<string, FoldedValue> values)
    {
        var zeros = node.Input(3) is { } zeroName ? _tensors.GetValueOrDefault(zeroName) : null;
        if (!_tensors.TryGetValue(node.Inputs[1], out var integers) || (zeros is null) != (node.Input(3) is null)
            || values.GetValueOrDefault(node.Inputs[2]) is not { Type: TensorType.Float, Floats: { } scales } || !scales.All(float.IsFinite)
            || !BlockProduct.Fits(node, integers, scales.Length, zeros))
        {
            return null;
        }

        var (unpacked, shape, grid) = BlockProduct.Read(node, OnnxTensor.ToLongs(integers, folder), scales,
            zeros is null ? null : OnnxTensor.ToLongs(zeros, folder));
        return new(TensorType.Float, shape, null, unpacked) { IsInitializer = true, Grid = grid };
    }

    /// <summary>Takes a tensor of the file, where it is of a type that weights are quantised to.</summary>
    public void Add(TensorProto tensor)
    {
        _codes.Add(tensor);
        if (IsSmall(tensor) || (TensorType)tensor.DataType == TensorType.Int32)
        {
            _tensors[tensor.Name] = tensor;
        }
    }

    /// <summary>Whether values would take many times their room as integers of 64 bits: what is no weight then is carried as it is.</summary>
    public static bool IsLarge(TensorProto tensor) => IsSmall(tensor) && OnnxTensorSize.Count(tensor.Dims, tensor.Name) > ConstantFolding.LargestComputed;

    private static bool IsSmall(TensorProto tensor) => (TensorType)tensor.DataType is TensorType.Int8 or TensorType.UInt8 or TensorType.Int16
        or TensorType.UInt16 or TensorType.Int4 or TensorType.UInt4 or TensorType.Int2 or TensorType.UInt2;
}
