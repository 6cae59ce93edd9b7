using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors of integers of a file that DequantizeLinear may make weights of.</summary>
/// <param name="folder">Where external data lies; null where there can be none.</param>
internal sealed class QuantizedInitializers(string? folder)
{
    private readonly Dictionary<string, TensorProto> _tensors = [];

    /// <summary>The weight that a DequantizeLinear makes of integers of the file; null where it is of another kind.</summary>
    public FoldedValue? Dequantize(Node node, IReadOnlyDictionary<string, FoldedValue> values)
    {
        if (!_tensors.TryGetValue(node.Inputs[0], out var tensor) || node.Input(1) is not { } scaleName || node.Int("block_size", 0) != 0
            || values.GetValueOrDefault(scaleName) is not { Type: TensorType.Float, Floats: { Length: > 0 } scales }
            || (node.Input(2) is { } zeroName && values.GetValueOrDefault(zeroName)?.Ints?.Length != scales.Length))
        {
            return null;
        }

        ImmutableArray<int> shape = [.. tensor.Dims.Select(size => (int)size)];
        var axis = scales.Length == 1 ? -1 : (int)(node.Int("axis", 1) is var a && a < 0 ? a + shape.Length : a);
        if (axis >= shape.Length || (axis >= 0 && shape[axis] != scales.Length) || !scales.All(float.IsFinite))
        {
            return null;
        }

        var grid = new QuantizationGrid((TensorType)tensor.DataType, [.. scales],
            [.. node.Input(2) is { } zeros ? values[zeros].Ints! : new long[scales.Length]], node.Input(2) is not null, axis);
        return new(TensorType.Float, shape, null, grid.Dequantize(OnnxTensor.ToLongs(tensor, folder), shape)) { IsInitializer = true, Grid = grid,
            Source = new(tensor.Name, []) };
    }

    /// <summary>Takes a tensor of the file, where it is of a type that weights are quantised to.</summary>
    public void Add(TensorProto tensor)
    {
        if (IsQuantized(tensor))
        {
            _tensors[tensor.Name] = tensor;
        }
    }

    private static bool IsQuantized(TensorProto tensor)
        => (TensorType)tensor.DataType is TensorType.Int8 or TensorType.UInt8 or TensorType.Int16 or TensorType.UInt16 or TensorType.Int32;

    /// <summary>Whether values would take eight times their room as integers of 64 bits: what is no weight then is carried as it is.</summary>
    public static bool IsLarge(TensorProto tensor) => (TensorType)tensor.DataType is TensorType.Int8 or TensorType.UInt8 or TensorType.Int16
        or TensorType.UInt16
        && OnnxTensorSize.Count(tensor.Dims, tensor.Name) > ConstantFolding.LargestComputed;
}
