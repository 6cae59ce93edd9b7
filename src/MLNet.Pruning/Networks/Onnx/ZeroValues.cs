using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Tensors that are known to be zero while a file is read, whatever their size.</summary>
/// <param name="values">Known values by name.</param>
internal sealed class ZeroValues(IReadOnlyDictionary<string, FoldedValue> values)
{
    private readonly HashSet<string> _computed = [];

    /// <summary>Takes what a node computes, if that is zero.</summary>
    public void Add(Node node)
    {
        if (node.Domain.Length == 0 && node.Operator switch
        {
            "ConstantOfShape" => node.Float("value", 0) == 0,
            "Slice" or "Transpose" or "Reshape" or "Expand" or "Squeeze" or "Unsqueeze" or "Identity" => Contains(node.Inputs[0]),
            _ => false,
        })
        {
            _computed.Add(node.Outputs[0]);
        }
    }

    /// <summary>Initial states that are zero are what a recurrent layer starts from anyway.</summary>
    public Node WithoutStates(Node node)
        => node.Domain.Length == 0 && node.Operator is "LSTM" or "GRU" or "RNN" && node.Inputs.Skip(5).Take(2).Any(Contains)
            ? node.WithInputs(node.Inputs.Select((name, i) => i is 5 or 6 && Contains(name) ? "" : name)) : node;

    private bool Contains(string name) => _computed.Contains(name) || (values.TryGetValue(name, out var value) && value.IsZero && !value.IsInitializer);
}
