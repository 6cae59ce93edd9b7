using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Products of integers with rows that are rounded as they come, as tools that quantise dynamically write them: MatMulInteger, Cast and Mul with the product
/// of two scales. Rewritten as a product of floats between DequantizeLinear, so that their weights are weights; written again as they were.
/// </summary>
internal static class IntegerProducts
{
    /// <returns>Whether there were any.</returns>
    public static bool Rewrite(GraphProto graph)
    {
        if (!PackedNodes.Of(graph).Any(IsProduct))
        {
            return false;
        }

        PackedNodes.Unpack(graph);
        var producers = graph.Node.SelectMany(node => node.Output.Select(output => (output, node))).DistinctBy(pair => pair.output)
            .ToDictionary(pair => pair.output, pair => pair.node);
        var consumers = graph.Node.SelectMany(node => node.Input.Distinct().Select(input => (input, node))).ToLookup(pair => pair.input, pair => pair.node);
        var tensors = graph.Initializer.DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name);
        var (outputs, names) = (graph.Output.Select(output => output.Name).ToHashSet(), new UniqueNames(OnnxNames.Of(graph)));
        var (rows, weights) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        NodeProto? Only(string tensor, string @operator) => !outputs.Contains(tensor) && consumers[tensor].ToArray() is [{ Domain: "" or "ai.onnx" } one]
            && one.OpType == @operator ? one : null;

        string Dequantized(Dictionary<string, string> known, string name, params string[] inputs)
        {
            if (!known.TryGetValue(inputs[0], out var made))
            {
                made = known[inputs[0]] = names.Next(name);
                graph.Node.Add(new NodeProto { Name = made + "_DequantizeLinear", OpType = "DequantizeLinear", Input = { inputs }, Output = { made },
                    Attribute = { OnnxAttributes.ToProto("axis", 1L) } });
            }

            return made;
        }

        var found = false;
        foreach (var product in graph.Node.Where(IsProduct).ToArray())
        {
            if (product.Input.Count != 4 || producers.GetValueOrDefault(product.Input[0]) is not { OpType: "DynamicQuantizeLinear", Output: [var bytes,
                var rowScale, var zero] }
                || product.Input[0] != bytes || product.Input[2] != zero
                || !(tensors.TryGetValue(product.Input[1], out var weight) && weight is { DataType: (int)DataType.Int8 or (int)DataType.Uint8, Dims.Count: 2 })
                || Only(product.Output[0], "Cast") is not { } cast || cast.Attribute.FirstOrDefault(one => one.Name == "to")?.I != (long)DataType.Float
                || Only(cast.Output[0], "Mul") is not { } last || last.Input.FirstOrDefault(input => input != cast.Output[0]) is not { } factor
                || Only(factor, "Mul") is null || producers.GetValueOrDefault(factor) is not { OpType: "Mul" } scales || !scales.Input.Contains(rowScale)
                || !tensors.TryGetValue(scales.Input[0] == rowScale ? scales.Input[1] : scales.Input[0], out var scale)
                || !tensors.TryGetValue(product.Input[3], out var weightZero) || OnnxTensor.Count(scale) is not (> 0 and var count)
                || OnnxTensor.Count(weightZero) != count || !(count == 1 || count == weight.Dims[1]))
            {
                continue;
            }

            found = true;
            var row = Dequantized(rows, bytes + "_dequantized", bytes, rowScale, zero);
            const string suffix = "_quantized";
            var name = weight.Name.EndsWith(suffix, StringComparison.Ordinal) ? weight.Name[..^suffix.Length] : weight.Name + "_dequantized";
            var floats = Dequantized(weights, name, weight.Name, scale.Name, weightZero.Name);
            foreach (var node in new[] { product, cast, last, scales })
            {
                graph.Node.Remove(node);
            }

            graph.Node.Add(new NodeProto { Name = product.Name, OpType = "MatMul", Input = { row, floats }, Output = { last.Output[0] } });
        }

        return found;
    }

    private static bool IsProduct(NodeProto node) => node is { OpType: "MatMulInteger", Domain: "" or "ai.onnx" };
}
