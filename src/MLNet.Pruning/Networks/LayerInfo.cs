using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>One node of a network with what it owns and what it costs.</summary>
internal sealed class LayerInfo
{
    public LayerInfo(Network network, Node node)
    {
        Node = node;
        Parameters = [.. node.Inputs.Where(input => network.TryGetParameter(input, out _))];
        Outputs = [.. node.Outputs.Where(output => output.Length > 0).Select(output => network.Tensors[output])];
        Weights = [.. node.Domain.Length > 0 ? [] : WeightInputs(network, node).Where(input => network.TryGetParameter(input, out _)).Distinct()];
        if (node.Domain.Length == 0 && Outputs.Length > 0 && node.Inputs.All(input => network.Find(input)?.IsKnown != false))
        {
            PositionsPerWeight = Positions(network, node);
            MultiplyAdds = Weights.Length > 0 ? PositionsPerWeight * Weights.Sum(weight => (long)network[weight].Count) : Products(network, node);
        }
    }

    public Node Node { get; }

    /// <summary>Names of the parameters, weight first.</summary>
    public IReadOnlyList<string> Parameters { get; }

    public ImmutableArray<TensorInfo> Outputs { get; }

    public TensorInfo Output => Outputs[0];

    /// <summary>Names of the weights that multiply what the layer reads: one, or two of a recurrent layer; none for layers without.</summary>
    public ImmutableArray<string> Weights { get; }

    /// <summary>How often each weight is used for one row: the number of positions of a convolution, of steps of a recurrent layer.</summary>
    public long PositionsPerWeight { get; }

    /// <summary>Multiplications with a weight, or in a product of two tensors, for one row; open sizes count as 1.</summary>
    public long MultiplyAdds { get; }

    /// <summary>What the dimensions of one of the <see cref="Weights"/> are, which ONNX stores differently from operator to operator.</summary>
    public WeightAxes Axes(Parameter weight)
    {
        var last = weight.Shape.Length - 1;
        return Node.Operator switch
        {
            "Gemm" => Node.Int("transB", 0) == 0 ? new(1, 0, false) : new(0, 1, false),
            "Conv" => new(0, 1, true),
            "ConvTranspose" => new(1, 0, true),
            "MatMul" when last == 0 => new(0, 0, false),
            "MatMul" => weight.Name == Node.Inputs[1] ? new(last, last - 1, false) : new(last - 1, last, false),
            _ => new(1, 2, false),
        };
    }

    private static IEnumerable<string> WeightInputs(Network network, Node node) => node.Operator switch
    {
        "Gemm" or "Conv" or "ConvTranspose" => [node.Inputs[1]],
        // Behind a parameter on both sides nothing is computed from the input.
        "MatMul" when network.TryGetParameter(node.Inputs[1], out _) => network.TryGetParameter(node.Inputs[0], out _) ? [] : [node.Inputs[1]],
        "MatMul" => [node.Inputs[0]],
        "LSTM" or "GRU" or "RNN" => [node.Inputs[1], node.Inputs[2]],
        _ => [],
    };

    private long Positions(Network network, Node node) => Weights.Length == 0 ? 0 : node.Operator switch
    {
        "Conv" => Size(network, Output.Shape.Skip(2)),
        "ConvTranspose" => Size(network, network.Find(node.Inputs[0])!.Shape.Skip(2)),
        "LSTM" or "GRU" or "RNN" => Size(network, network.Find(node.Inputs[0])!.Shape.Take(1)),
        "MatMul" when Weights[0] == node.Inputs[0] => Size(network, Output.Shape.SkipLast(2).Append(Output.Shape[^1])),
        _ => Size(network, Output.Shape.SkipLast(1)),
    };

    private long Products(Network network, Node node) => node.Operator == "MatMul"
        ? Size(network, Output.Shape) * Size(network, [network.Find(node.Inputs[0])!.Shape[^1]]) : 0;

    private static long Size(Network network, IEnumerable<int> sizes)
        => sizes.Aggregate(1L, (product, size) => product * network.Graph.Symbols.Factors(size).Coefficient);
}
