using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// A weight of few values, or of few vectors for each part of its rows, as a file can hold it: these, and bytes that say which of them is where. Gather makes
/// the weight of them, which ONNX Runtime computes once when it loads the file.
/// </summary>
/// <param name="Entries">The values, or vectors one after another.</param>
/// <param name="Length">Values in a vector.</param>
/// <param name="Starts">For each part of a row where its vectors start.</param>
/// <param name="Codes">For each place, or part of a row, that of its value or vector.</param>
internal sealed record WeightCodes(float[] Entries, int Length, long[] Starts, long[] Codes)
{
    private const int Most = byte.MaxValue + 1;

    /// <summary>The codes of values; null where there are more than 256 different ones. Zeros of both signs are two.</summary>
    public static WeightCodes? Of(ReadOnlySpan<float> values, ImmutableArray<int> shape, int length)
    {
        var parts = length == 1 ? 1 : shape.Length == 2 && shape[1] % length == 0 ? shape[1] / length : 0;
        var codes = new long[values.Length / length];
        var (entries, starts) = (new List<float>(), new long[parts]);
        for (var part = 0; part < parts; part++)
        {
            starts[part] = entries.Count / length;
            var places = new Dictionary<Vector, int>();
            for (var i = part; i < codes.Length; i += parts)
            {
                var vector = new Vector(values.Slice(i * length, length).ToArray());
                if (!places.TryGetValue(vector, out var place))
                {
                    if (places.Count == Most)
                    {
                        return null;
                    }

                    places[vector] = place = places.Count;
                    entries.AddRange(vector.Values);
                }

                codes[i] = place;
            }
        }

        return parts == 0 ? null : new([.. entries], length, starts, codes);
    }

    /// <summary>The tensors and nodes that make the weight.</summary>
    /// <param name="name">Name of the weight.</param>
    /// <param name="dims">Its sizes.</param>
    /// <param name="unique">Makes names that nothing else has.</param>
    public (TensorProto[] Tensors, NodeProto[] Nodes) ToProto(string name, IReadOnlyList<long> dims, Func<string, string> unique)
    {
        var isOne = Length == 1;
        var codes = OnnxTensor.FromLongs(unique(name + "_codes"), isOne ? dims : [dims[0], Starts.Length], Codes, DataType.Uint8);
        var entries = OnnxTensor.FromFloats(unique(name + "_values"), isOne ? [Entries.Length] : [Entries.Length / Length, Length], Entries);
        var cast = new NodeProto
        {
            Name = unique(name + "_Cast"), OpType = "Cast", Input = { codes.Name }, Output = { unique(name + "_codes_of_32_bits") },
            Attribute = { OnnxAttributes.ToProto("to", (long)DataType.Int32) },
        };
        if (isOne)
        {
            return ([codes, entries], [cast, Node("Gather", [entries.Name, cast.Output[0]], name)]);
        }

        var starts = OnnxTensor.FromLongs(unique(name + "_starts"), [Starts.Length], Starts, DataType.Int32);
        var shape = OnnxTensor.FromLongs(unique(name + "_shape"), [dims.Count], [.. dims]);
        var (places, parts) = (unique(name + "_places"), unique(name + "_parts"));
        return ([codes, entries, starts, shape], [cast, Node("Add", [cast.Output[0], starts.Name], places), Node("Gather", [entries.Name, places], parts),
            Node("Reshape", [parts, shape.Name], name)]);

        NodeProto Node(string operation, string[] inputs, string output)
            => new() { Name = unique($"{name}_{operation}"), OpType = operation, Input = { inputs }, Output = { output } };
    }

    /// <summary>Values that are compared by their bits.</summary>
    private readonly record struct Vector(float[] Values)
    {
        public bool Equals(Vector other) => MemoryMarshal.AsBytes<float>(Values).SequenceEqual(MemoryMarshal.AsBytes<float>(other.Values));

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes<float>(Values));
            return hash.ToHashCode();
        }
    }
}
