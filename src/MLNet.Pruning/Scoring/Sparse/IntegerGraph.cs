using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>
/// The operations of a network that work on bytes: of a QuantizeLinear, the layers that read what a DequantizeLinear gives of it, and what only moves bytes
/// between them. A DequantizeLinear that such alone read is no operation.
/// </summary>
/// <param name="network">The network.</param>
/// <param name="elsewhere">Names of nodes that are left to ONNX Runtime.</param>
/// <param name="done">Receives nodes that operations take in behind their first.</param>
internal sealed class IntegerGraph(Network network, IReadOnlySet<string> elsewhere, HashSet<Node> done)
{
    /// <summary>Tensors of bytes that operations gave so far.</summary>
    private readonly HashSet<string> _bytes = [];

    private readonly Dictionary<Node, bool> _layers = [];

    /// <summary>Whether a node only makes floats of bytes for operations that read the bytes.</summary>
    public bool IsTakenIn(Node node) => Grid(node, "DequantizeLinear") is not null && _bytes.Contains(node.Inputs[0])
        && !network.Graph.Outputs.Contains(node.Outputs[0]) && network.Consumers(node.Outputs[0]).All(reader => !elsewhere.Contains(reader.Name)
            && (IsLayer(reader) && reader.Inputs.Count(input => input == node.Outputs[0]) == 1 || Kind(reader) is not null));

    /// <summary>The operation that begins with a node, where it is one of bytes; null else.</summary>
    public SparseOperation? Start(Node node)
    {
        if (Grid(node, "QuantizeLinear") is not null && IsPlain(node.Inputs[0]))
        {
            return Made(new(SparseKind.Quantize, [node], [node.Inputs[0]], [node.Outputs[0]]));
        }

        if (Grid(node, "DequantizeLinear") is not null && _bytes.Contains(node.Inputs[0]))
        {
            return new(SparseKind.Dequantize, [node], [node.Inputs[0]], [node.Outputs[0]]);
        }

        if (IsLayer(node) && Source(node.Inputs[0]) is { } source && IsTakenIn(source))
        {
            var (nodes, relu, isRounded) = Following(node);
            var layer = new SparseOperation(SparseKind.Integer, nodes, [source.Inputs[0]], nodes[^1].Outputs, node.Input(2), relu);
            return isRounded ? Made(layer) : Done(layer);
        }

        if (Kind(node) is { } kind)
        {
            Node[] sources = [.. node.Inputs.Take(kind == SparseKind.ByteSum ? 2 : 1).Select(Source).OfType<Node>()];
            var (nodes, relu, _) = Following(node);
            return sources.All(IsTakenIn) ? Made(new(kind, nodes, [.. sources.Select(other => other.Inputs[0])], nodes[^1].Outputs, Relu: relu)) : null;
        }

        return null;
    }

    /// <summary>The integers of a layer's weights, outputs x what it reads; null where they are none that a product takes.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weight">Its weights.</param>
    public static sbyte[]? Integers(Node layer, Parameter weight)
    {
        if (weight.Grid is not { Type: TensorType.Int8, Block: 0 } grid || grid.ZeroPoints.Any(zero => zero != 0)
            || grid.Axis >= 0 && grid.Axis != OutputAxis(layer)
            || grid.Quantize(weight.Values, weight.Shape) is not { } integers || integers.Any(integer => Math.Abs(integer) > IntegerProduct.Most))
        {
            return null;
        }

        if (OutputAxis(layer) == 0)
        {
            return [.. integers.Select(integer => (sbyte)integer)];
        }

        var (inputs, outputs) = (weight.Shape[0], weight.Shape[1]);
        var turned = new sbyte[integers.Length];
        for (var i = 0; i < integers.Length; i++)
        {
            turned[i % outputs * inputs + i / outputs] = (sbyte)integers[i];
        }

        return turned;
    }

    /// <summary>The DequantizeLinear that gives a tensor; null where another node does.</summary>
    private Node? Source(string tensor) => network.Producer(tensor) is { Operator: "DequantizeLinear" } source && Grid(source, "DequantizeLinear") is not null
        ? source : null;

    /// <summary>A node and the ReLU and QuantizeLinear that follow it alone; whether there is a ReLU, and whether it ends in bytes.</summary>
    private (ImmutableArray<Node> Nodes, bool Relu, bool IsRounded) Following(Node node)
    {
        var (nodes, relu) = (ImmutableArray.Create(node), false);
        while (SparseGraph.Only(network, nodes[^1].Outputs[0]) is { } next && !elsewhere.Contains(next.Name))
        {
            if (Grid(next, "QuantizeLinear") is not null && IsPlain(next.Inputs[0]))
            {
                return (nodes.Add(next), relu, true);
            }

            if (next.Operator != "Relu" || relu)
            {
                break;
            }

            (nodes, relu) = (nodes.Add(next), true);
        }

        return (nodes, relu, false);
    }

    private SparseOperation Made(SparseOperation operation)
    {
        _bytes.Add(operation.Outputs[0]);
        return Done(operation);
    }

    private SparseOperation Done(SparseOperation operation)
    {
        done.UnionWith(operation.Nodes.Skip(1));
        return operation;
    }

    private static int OutputAxis(Node layer) => layer.Operator == "Conv" || layer.Operator == "Gemm" && layer.Int("transB", 0) == 1 ? 0 : 1;

    private ByteGrid? Grid(Node node, string name) => node.Operator == name ? ByteGrid.Of(network, node) : null;

    /// <summary>Whether a tensor is rows of values or images, of known sizes.</summary>
    private bool IsPlain(string tensor)
        => network.Find(tensor) is { IsKnown: true, Type: TensorType.Float, Shape: { Length: 2 or 4 } shape } && SparseGraph.IsRows(shape);

    private bool IsLayer(Node node)
    {
        if (!_layers.TryGetValue(node, out var isLayer))
        {
            _layers[node] = isLayer = ReadsBytes(node);
        }

        return isLayer;
    }

    private bool ReadsBytes(Node node)
    {
        if (node.Domain.Length > 0 || node.Operator is not ("Gemm" or "MatMul" or "Conv") || !IsPlain(node.Inputs[0]) || !IsPlain(node.Outputs[0])
            || !network.TryGetParameter(node.Inputs[1], out var weight)
            || node.Input(2) is { } bias && !(network.TryGetParameter(bias, out var values) && values.Grid is { Type: TensorType.Int32, Block: 0 } grid
                && grid.ZeroPoints.All(zero => zero == 0) && values.Count == network.Find(node.Outputs[0])!.Shape[1]))
        {
            return false;
        }

        var fits = node.Operator switch
        {
            "Gemm" => node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1 && node.Int("transA", 0) == 0,
            "MatMul" => true,
            _ => node.Int("group", 1) == 1 && ConvolutionWindow.Of(node, [.. weight.Shape.Skip(2)]) is not null,
        };
        return fits && weight.Shape.Length == network.Find(node.Inputs[0])!.Shape.Length && weight.Shape.Length == (node.Operator == "Conv" ? 4 : 2)
            && Integers(node, weight) is not null;
    }

    /// <summary>What a node does, other than a layer, that reads bytes and whose result is rounded to bytes; null for others.</summary>
    private SparseKind? Kind(Node node)
    {
        if (node.Domain.Length > 0 || node.Outputs.Length != 1 || !node.Inputs.Take(1).Any() || Source(node.Inputs[0]) is not { } source
            || !IsPlain(node.Inputs[0]) || !IsPlain(node.Outputs[0]) || Following(node) is not { IsRounded: true } following)
        {
            return null;
        }

        var (from, to) = (network.Find(node.Inputs[0])!.Shape, network.Find(node.Outputs[0])!.Shape);
        // What only moves bytes keeps what they stand for.
        var moves = !following.Relu && ByteGrid.Of(network, following.Nodes[^1]) == ByteGrid.Of(network, source);
        return node.Operator switch
        {
            "MaxPool" when moves && from.Length == 4 && SparseGraph.PoolingWindow(node) is not null => SparseKind.BytePooling,
            "GlobalAveragePool" when from.Length == 4 && !following.Relu => SparseKind.ByteAverage,
            "Flatten" or "Reshape" or "Squeeze" or "Identity" or "Dropout" when moves && (to.SequenceEqual(from) || to.Length == 2) => SparseKind.ByteReshape,
            "Add" when Source(node.Inputs[1]) is not null && network.Find(node.Inputs[1]) is { IsKnown: true } other && other.Shape.SequenceEqual(from)
                => SparseKind.ByteSum,
            _ => null,
        };
    }
}
