namespace MLNet.Pruning;

/// <summary>One node of a network with what it owns and what it costs.</summary>
internal sealed class LayerInfo
{
    public LayerInfo(Network network, Node node)
    {
        Node = node;
        Parameters = [.. node.Inputs.Where(input => network.TryGetParameter(input, out _))];
        Output = network.Tensors[node.Outputs[0]];
        Weight = node.Operator is "Gemm" or "Conv" ? node.Inputs[1] : null;
        PositionsPerWeight = node.Operator == "Conv" ? Output.Shape.Skip(2).Aggregate(1L, (product, size) => product * size) : 1;
        MultiplyAdds = Weight is null ? 0 : PositionsPerWeight * network[Weight].Count;
    }

    public Node Node { get; }

    /// <summary>Names of the parameters, weight first.</summary>
    public IReadOnlyList<string> Parameters { get; }

    public TensorInfo Output { get; }

    /// <summary>Name of the weight that multiplies the layer's input; null for layers without one.</summary>
    public string? Weight { get; }

    /// <summary>How often each weight is used for one row: the number of output positions of a convolution.</summary>
    public long PositionsPerWeight { get; }

    /// <summary>Multiplications with a weight for one row.</summary>
    public long MultiplyAdds { get; }
}
