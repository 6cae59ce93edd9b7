using MLNet.Pruning.Onnx;

namespace MLNet.Pruning;

/// <summary>
/// Writes convolutions and products of integers (QLinearConv, QLinearMatMul) as those of floats between DequantizeLinear and QuantizeLinear, so that
/// their weights are weights. ONNX Runtime fuses them again when it loads the file.
/// </summary>
internal sealed class QuantizedOperators
{
    private readonly Dictionary<string, TensorProto> _constants;
    private readonly UniqueNames _names;
    private readonly GraphProto _graph;
    private readonly string? _folder;

    private QuantizedOperators(GraphProto graph, string? folder)
    {
        (_graph, _folder) = (graph, folder);
        _names = new(OnnxNames.Of(graph));
        _constants = graph.Initializer.DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name);
    }

    /// <param name="graph">The graph, changed in place; what is in its branches and bodies stays.</param>
    /// <param name="opset">Version of the standard; before 13 a scale an index cannot be written.</param>
    /// <param name="folder">Where external data lies; null where there can be none.</param>
    public static void Rewrite(GraphProto graph, long opset, string? folder)
    {
        if (opset < 13 || !graph.Node.Any(IsQuantized))
        {
            return;
        }

        var rewriting = new QuantizedOperators(graph, folder);
        var nodes = graph.Node.SelectMany(node => IsQuantized(node) ? rewriting.Rewrite(node) : [node]).ToArray();
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    private static bool IsQuantized(NodeProto node) => node is { Domain: "" or "ai.onnx", OpType: "QLinearConv", Input.Count: 8 or 9 } or { Domain: "" or "ai.onnx", OpType: "QLinearMatMul", Input.Count: 8 };

    private NodeProto[] Rewrite(NodeProto node)
    {
        var convolution = node.OpType == "QLinearConv";
        if (!_constants.TryGetValue(node.Input[3], out var weight) || Scales(node.Input[1]) is not [var inputScale] || Scales(node.Input[4]) is not { } weightScales)
        {
            return [node];
        }

        var x = Dequantize(node, node.Input[0], node.Input[1], node.Input[2], null);
        var w = Dequantize(node, node.Input[3], node.Input[4], node.Input[5], weightScales.Length == 1 ? null : convolution ? 0 : weight.Dims.Count - 1);
        var product = new NodeProto
        {
            Name = node.Name, OpType = convolution ? "Conv" : "MatMul", Input = { x.Output[0], w.Output[0] }, Output = { _names.Next(node.Output[0] + "_float") }, Attribute = { node.Attribute },
        };
        var nodes = new List<NodeProto> { x, w };
        if (node.Input.Count == 9 && node.Input[8].Length > 0)
        {
            // The standard gives the bias the scale of the input times that of the weight, and no zero point.
            var scale = OnnxTensor.FromFloats(_names.Next(node.Input[8] + "_scale"), weightScales.Length == 1 ? [] : [weightScales.Length], [.. weightScales.Select(one => one * inputScale)]);
            _graph.Initializer.Add(scale);
            var bias = Dequantize(node, node.Input[8], scale.Name, null, weightScales.Length == 1 ? null : 0);
            product.Input.Add(bias.Output[0]);
            nodes.Add(bias);
        }

        return
        [
            .. nodes, product,
            new() { Name = _names.Next(node.Output[0] + "_QuantizeLinear"), OpType = "QuantizeLinear", Input = { product.Output[0], node.Input[6], node.Input[7] }, Output = { node.Output[0] } },
        ];
    }

    private float[]? Scales(string name) => _constants.TryGetValue(name, out var tensor) && tensor.DataType == (int)TensorType.Float ? OnnxTensor.ToFloats(tensor, _folder) : null;

    private NodeProto Dequantize(NodeProto reader, string integers, string scale, string? zeroPoint, long? axis)
    {
        // A node of its own for each reader, as ONNX Runtime expects them where it fuses.
        var node = new NodeProto
        {
            Name = _names.Next($"{reader.Output[0]}_{integers}_DequantizeLinear"), OpType = "DequantizeLinear", Input = { integers, scale }, Output = { _names.Next($"{reader.Output[0]}_{integers}_float") },
        };
        if (zeroPoint is { Length: > 0 })
        {
            node.Input.Add(zeroPoint);
        }

        if (axis is { } dimension)
        {
            node.Attribute.Add(OnnxAttributes.ToProto("axis", dimension));
        }

        return node;
    }
}
