using MLNet.Pruning.Scoring.Sparse.Kernels;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>The operations of a network in managed terms.</summary>
internal static class SparseGraph
{
    /// <summary>The operations in the order of the network's nodes.</summary>
    /// <param name="network">The network with batch normalisation folded.</param>
    /// <param name="elsewhere">Names of nodes that are left to ONNX Runtime, though they have a managed form.</param>
    public static List<SparseOperation> Of(Network network, IReadOnlySet<string> elsewhere)
    {
        var operations = new List<SparseOperation>();
        var done = new HashSet<Node>();
        var known = new HashSet<string> { network.Input.Name };
        var integers = new IntegerGraph(network, elsewhere, done);
        var others = new List<Node>();
        foreach (var node in network.Nodes.Where(node => !done.Contains(node)))
        {
            if (integers.IsTakenIn(node))
            {
                continue;
            }

            if (elsewhere.Contains(node.Name) || (integers.Start(node) ?? Start(network, node)) is not { } operation)
            {
                others.Add(node);
                known.UnionWith(node.Outputs);
                continue;
            }

            Flush();
            operation = Fused(network, operation, known, done);
            known.Add(operation.Outputs[0]);
            operations.Add(operation);
        }

        Flush();
        return operations;

        void Flush()
        {
            if (others.Count > 0)
            {
                var given = others.SelectMany(node => node.Outputs).ToHashSet();
                operations.Add(new(SparseKind.Other, [.. others],
                    [.. others.SelectMany(node => node.Inputs.Concat(node.Captured)).Where(name => name.Length > 0 && !given.Contains(name)
                        && network.Graph.Place(name) is null && network.Constant(name) is null).Distinct()],
                    [.. given.Where(name => name.Length > 0 && (network.Graph.Outputs.Contains(name)
                        || network.Consumers(name).Any(reader => !others.Contains(reader))))]));
                others.Clear();
            }
        }
    }

    private static SparseOperation? Start(Network network, Node node)
    {
        if (node.Domain.Length > 0 || node.Outputs.Length != 1)
        {
            return null;
        }

        var (input, output) = (node.Inputs.FirstOrDefault(""), node.Outputs[0]);
        var shape = network.Find(input) is { IsKnown: true, Type: TensorType.Float } tensor && network.Find(output) is { IsKnown: true } ? tensor.Shape : [];
        SparseOperation Of(SparseKind kind) => new(kind, [node], [input], [output]);
        return node.Operator switch
        {
            "Gemm" when shape.Length == 2 && IsWeight(node.Inputs[1]) && node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1
                && node.Int("transA", 0) == 0 && (node.Input(2) is not { } bias || IsBias(bias, network.Find(output)!.Shape[1]))
                => Of(SparseKind.Dense) with { Bias = node.Input(2) },
            "MatMul" when shape.Length == 2 && IsWeight(node.Inputs[1]) => Of(SparseKind.Dense),
            "Conv" when shape.Length == 4 && IsImage(shape) && node.Int("group", 1) == 1 && IsWeight(node.Inputs[1])
                && ConvolutionWindow.Of(node, [.. network[node.Inputs[1]].Shape.Skip(2)]) is not null
                && (node.Input(2) is not { } bias || IsBias(bias, network.Find(output)!.Shape[1])) => Of(SparseKind.Convolution) with { Bias = node.Input(2) },
            "MaxPool" or "AveragePool" when IsImage(shape) && PoolingWindow(node) is not null => Of(SparseKind.Pooling),
            // Where rows of values are made of it; between images it is one of a single position.
            "GlobalAveragePool" or "GlobalMaxPool" when IsImage(shape) && network.Consumers(output).All(next =>
                next is { Domain: "", Operator: "Flatten" or "Reshape" or "Squeeze" }) => Of(SparseKind.GlobalPooling),
            "Relu" when IsRows(shape) && shape.Length is 2 or 4 => Of(SparseKind.Elementwise) with { Relu = true },
            "Add" when IsRows(shape) && shape.Length is 2 or 4 && network.Find(node.Inputs[1]) is { IsKnown: true } other && other.Shape.SequenceEqual(shape)
                && network.Graph.Place(node.Inputs[0]) is null && network.Graph.Place(node.Inputs[1]) is null && network.Constant(node.Inputs[1]) is null
                => new(SparseKind.Elementwise, [node], [input, node.Inputs[1]], [output]),
            "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze" or "Identity" or "Dropout" when IsRows(shape) && shape.Length is 2 or 4
                && network.Find(output)!.Shape is { Length: 2 or 4 } after && IsRows(after) && Count(after) == Count(shape) => Of(SparseKind.Reshape),
            _ => null,
        };

        bool IsWeight(string name) => network.TryGetParameter(name, out var weight) && weight.Type == TensorType.Float;

        bool IsBias(string name, int outputs) => network.TryGetParameter(name, out var bias) && bias.Type == TensorType.Float
            && (bias.Count == 1 || bias.Count == outputs && bias.Shape[^1] == outputs);
    }

    /// <summary>The window of a pooling whose padding is less than itself; null for others.</summary>
    public static ConvolutionWindow? PoolingWindow(Node node) => node.Ints("dilations", 1, 1).All(dilation => dilation == 1)
        && ConvolutionWindow.Of(node, [.. node.Ints("kernel_shape").Select(size => (int)size)]) is { } window
        && window.Top < window.Height && window.Left < window.Width && window.Bottom < window.Height && window.Right < window.Width ? window : null;

    /// <summary>Takes in what follows alone: the bias of a MatMul, a sum with what is already there, a ReLU.</summary>
    private static SparseOperation Fused(Network network, SparseOperation operation, HashSet<string> known, HashSet<Node> done)
    {
        while (operation is { Kind: SparseKind.Dense or SparseKind.Convolution or SparseKind.Elementwise, Relu: false }
            && Only(network, operation.Outputs[0]) is { } next && Joined(network, operation, next, known) is { } joined)
        {
            operation = joined with { Nodes = [.. operation.Nodes, next], Outputs = next.Outputs };
            done.Add(next);
        }

        return operation;
    }

    private static SparseOperation? Joined(Network network, SparseOperation operation, Node next, HashSet<string> known)
    {
        if (next.Operator == "Relu")
        {
            return operation with { Relu = true };
        }

        if (next.Operator != "Add")
        {
            return null;
        }

        var other = next.Inputs[next.Inputs[0] == operation.Outputs[0] ? 1 : 0];
        var shape = network.Find(operation.Outputs[0])!.Shape;
        return operation switch
        {
            { Kind: SparseKind.Dense, Bias: null } when network.TryGetParameter(other, out var bias) && bias.Count == shape[^1] && bias.Shape[^1] == shape[^1]
                => operation with { Bias = other },
            { Kind: SparseKind.Convolution, Inputs.Length: 1 } when known.Contains(other) && network.Find(other)!.Shape.SequenceEqual(shape)
                => operation with { Inputs = [.. operation.Inputs, other] },
            _ => null,
        };
    }

    /// <summary>The one node that reads a tensor, once, where nothing else does.</summary>
    public static Node? Only(Network network, string tensor)
        => network.Graph.Outputs.Contains(tensor) || network.Consumers(tensor).ToArray() is not [{ Domain: "" } only]
            || only.Inputs.Count(input => input == tensor) != 1 ? null : only;

    public static bool IsRows(ImmutableArray<int> shape) => shape is [TensorInfo.Batch, ..] && shape.Skip(1).All(size => size > 0);

    public static bool IsImage(ImmutableArray<int> shape) => shape.Length == 4 && IsRows(shape);

    private static long Count(ImmutableArray<int> shape) => shape.Skip(1).Aggregate(1L, (product, size) => product * size);
}
