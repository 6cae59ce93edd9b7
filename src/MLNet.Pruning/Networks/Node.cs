using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>One operator of a <see cref="Network"/>, in terms of the ONNX standard.</summary>
public sealed class Node
{
    /// <summary>Creates a node.</summary>
    /// <param name="name">Unique within the network; the layer's name in tables, scopes and error messages.</param>
    /// <param name="operator">ONNX operator name, such as <c>Gemm</c> or <c>Conv</c>.</param>
    /// <param name="inputs">Names of tensors and parameters, in the operator's order.</param>
    /// <param name="outputs">Names of the tensors it produces.</param>
    /// <param name="attributes">Attributes by ONNX name: <see cref="long"/>, <see cref="float"/>, <see cref="string"/> or an array of <see cref="long"/>.</param>
    internal Node(string name, string @operator, IEnumerable<string> inputs, IEnumerable<string> outputs,
        IEnumerable<KeyValuePair<string, object>>? attributes = null)
    {
        Name = name;
        Operator = @operator;
        Inputs = [.. inputs];
        Outputs = [.. outputs];
        Attributes = attributes is null ? ImmutableDictionary<string, object>.Empty : ImmutableDictionary.CreateRange(attributes);
    }

    /// <summary>Unique name, also the name of the layer.</summary>
    public string Name { get; }

    /// <summary>ONNX operator name, such as <c>Gemm</c> or <c>Conv</c>.</summary>
    public string Operator { get; }

    /// <summary>Names of the tensors and parameters read, in the operator's order.</summary>
    public ImmutableArray<string> Inputs { get; }

    /// <summary>Names of the tensors produced.</summary>
    public ImmutableArray<string> Outputs { get; }

    /// <summary>Attributes by their ONNX name.</summary>
    public ImmutableDictionary<string, object> Attributes { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Operator}): {string.Join(", ", Inputs)} => {string.Join(", ", Outputs)}";

    internal long Int(string attribute, long otherwise) => Attributes.TryGetValue(attribute, out var value) ? (long)value : otherwise;

    internal float Float(string attribute, float otherwise) => Attributes.TryGetValue(attribute, out var value) ? (float)value : otherwise;

    internal long[] Ints(string attribute, params long[] otherwise) => Attributes.TryGetValue(attribute, out var value) ? (long[])value : otherwise;
}
