namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// The tensors between layers that are rounded to integers, so that ONNX Runtime finds each layer between integers and computes with them: what layers read,
/// what convolutions make, and what is only passed on between.
/// </summary>
internal sealed class QuantizedTensors
{
    private readonly Network _network;
    private readonly HashSet<string> _tensors = [];

    /// <param name="network">The network, batch normalisation folded.</param>
    /// <param name="layers">Its layers that compute with integers.</param>
    public QuantizedTensors(Network network, IReadOnlyList<QuantizableLayer> layers)
    {
        _network = network;
        foreach (var layer in layers)
        {
            Add(layer.Node.Inputs[0]);
            if (layer.IsConvolution)
            {
                Add(Activated(layer.Node.Outputs[0]));
            }
        }
    }

    /// <summary>Their names, in the order of the network.</summary>
    public IEnumerable<string> Names => _network.Inputs.Select(input => input.Name).Concat(_network.Nodes.SelectMany(node => node.Outputs))
        .Where(_tensors.Contains);

    /// <summary>The tensor that has the range of another: what is passed on without a change of values.</summary>
    public string Root(string tensor)
    {
        while (_network.Producer(tensor) is { } node && PassesOn(node) && _tensors.Contains(node.Inputs[0]))
        {
            tensor = node.Inputs[0];
        }

        return tensor;
    }

    /// <summary>The tensor that an activation makes of one, where that is all that reads it and clips below at zero, so that a zero point can do it.</summary>
    private string Activated(string tensor) => !_network.Graph.Outputs.Contains(tensor) && _network.Consumers(tensor).ToArray() is [{ Domain: "" } only]
        && (only.Operator == "Relu" || (only.Operator == "Clip" && only.Float("min", float.MinValue) == 0)) ? only.Outputs[0] : tensor;

    private void Add(string tensor)
    {
        if (!_tensors.Add(tensor) || _network.Producer(tensor) is not { Domain: "" } node)
        {
            return;
        }

        // Through an activation that a zero point can do, the sum before it is what is joined.
        var joined = node.Operator is "Relu" or "Clip" && _network.Producer(node.Inputs[0]) is { Domain: "", Operator: "Add" } sum ? sum : node;
        foreach (var input in PassesOn(node) ? node.Inputs.Take(1)
            : Joins(joined) && joined.Inputs.All(name => _network.Producer(name) is not null) ? joined.Inputs : [])
        {
            Add(input);
        }
    }

    private static bool PassesOn(Node node) => node.Domain.Length == 0
        && node.Operator is "MaxPool" or "Flatten" or "Reshape" or "Transpose" or "Squeeze" or "Unsqueeze" or "Identity";

    /// <summary>Operators that ONNX Runtime computes with integers of several tensors, or with sums of them.</summary>
    private static bool Joins(Node node) => node.Operator is "Add" or "Concat" or "AveragePool" or "GlobalAveragePool";
}
