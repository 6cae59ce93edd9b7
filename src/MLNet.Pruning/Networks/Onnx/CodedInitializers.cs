using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors of bytes of a file of which Gather makes weights by a list of values, or of vectors for each part of a row.</summary>
/// <param name="folder">Where external data lies; null where there can be none.</param>
internal sealed class CodedInitializers(string? folder)
{
    private readonly Dictionary<string, TensorProto> _tensors = [];
    private readonly Dictionary<string, (TensorProto Codes, long[] Starts)> _places = [];

    /// <summary>The weight that a Gather makes of a list and places in it; null for other nodes, of which a Cast and an Add may give the places.</summary>
    public FoldedValue? LookUp(Node node, IReadOnlyDictionary<string, FoldedValue> values)
    {
        switch (node.Operator)
        {
            case "Cast" when _tensors.TryGetValue(node.Inputs[0], out var bytes) && (TensorType)node.Int("to", 0) is TensorType.Int32 or TensorType.Int64:
                _places[node.Outputs[0]] = (bytes, [0]);
                return null;
            case "Add" when _places.TryGetValue(node.Inputs[0], out var parts) && parts.Codes.Dims.Count == 2
                && values.GetValueOrDefault(node.Inputs[1]) is { Ints: { } starts, Shape: [var count] } && count == parts.Codes.Dims[1]:
                _places[node.Outputs[0]] = parts with { Starts = starts };
                return null;
            case "Gather" when node.Input(1) is { } name && _places.TryGetValue(name, out var places) && node.Int("axis", 0) == 0
                && values.GetValueOrDefault(node.Inputs[0]) is { Type: TensorType.Float, IsInitializer: true, Floats: { } list, Shape.Length: 1 or 2 } all:
                return Weight(places.Codes, places.Starts, list, all.Shape.Length == 1 ? 1 : all.Shape[1], all.Shape.Length == 2);
            default:
                return null;
        }
    }

    /// <summary>Takes a tensor of the file, where it is one of bytes.</summary>
    public void Add(TensorProto tensor)
    {
        if ((TensorType)tensor.DataType == TensorType.UInt8)
        {
            _tensors[tensor.Name] = tensor;
        }
    }

    private FoldedValue? Weight(TensorProto tensor, long[] starts, float[] list, int length, bool isMatrix)
    {
        var codes = OnnxTensor.ToLongs(tensor, folder);
        if (length == 0 || (long)codes.Length * length > Array.MaxLength)
        {
            return null;
        }

        var weight = GC.AllocateUninitializedArray<float>(codes.Length * length, pinned: true);
        for (var i = 0; i < codes.Length; i++)
        {
            var place = codes[i] + starts[i % starts.Length];
            if (place < 0 || place >= list.Length / length)
            {
                throw new ArgumentException($"'{tensor.Name}' asks for entry {place} of a list of {list.Length / length}");
            }

            list.AsSpan((int)place * length, length).CopyTo(weight.AsSpan(i * length));
        }

        ImmutableArray<int> shape = [.. tensor.Dims.Select(size => (int)size)];
        return new(TensorType.Float, isMatrix ? shape.Add(length) : shape, null, weight) { IsInitializer = true, CodeLength = length };
    }
}
