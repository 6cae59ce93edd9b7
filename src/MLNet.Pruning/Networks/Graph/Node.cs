using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning;

/// <summary>One operator of a <see cref="Network"/>, in terms of the ONNX standard.</summary>
public sealed class Node
{
    /// <summary>
    /// The one operator that is not of the standard: gives the sizes in its attribute <c>shape</c>, open ones as they are when the
    /// network runs. Written down as Shape, Gather, Mul and Concat.
    /// </summary>
    internal const string Dimensions = "Dimensions";

    /// <summary>
    /// An operator of training that no file has: rounds its first operand as QuantizeLinear and DequantizeLinear do one after the other, with the scale of the
    /// second times the exponential of the third, and lets gradients pass. Its integers, less the zero point, lie between the attributes <c>lowest</c> and
    /// <c>highest</c>.
    /// </summary>
    internal const string FakeQuantize = "FakeQuantize";

    /// <summary>Rounds to the nearest of few values while a network is trained; no file holds it.</summary>
    internal const string FakeCodebook = "FakeCodebook";

    /// <summary>
    /// Attribute of batch normalisations and dropouts of a file that was exported for training: 1 where the file computes with the statistics of
    /// the batch, or at random. Files keep it; in a pipeline a network is run as for inference.
    /// </summary>
    internal const string TrainingMode = "training_mode";

    /// <summary>First version in which batch normalisations have that attribute.</summary>
    internal const long TrainingModeOpset = 14;

    private readonly Beyond _beyond = Beyond.Standard;

    /// <summary>Creates a node.</summary>
    /// <param name="name">Unique within the network; the layer's name in tables, scopes and error messages.</param>
    /// <param name="operator">ONNX operator name, such as <c>Gemm</c> or <c>Conv</c>.</param>
    /// <param name="inputs">Names of tensors and parameters, in the operator's order; empty for an optional one left out.</param>
    /// <param name="outputs">Names of the tensors it produces; empty for an optional one left out.</param>
    /// <param name="attributes">Attributes by ONNX name: <see cref="long"/>, <see cref="float"/>, <see cref="string"/>, arrays of <see cref="long"/> or
    /// <see cref="float"/>, or what was read for those that are carried.</param>
    internal Node(string name, string @operator, IEnumerable<string> inputs, IEnumerable<string> outputs,
        IEnumerable<KeyValuePair<string, object>>? attributes = null)
    {
        Name = name;
        Operator = @operator;
        Inputs = [.. inputs];
        Outputs = [.. outputs];
        Attributes = attributes is null ? ImmutableDictionary<string, object>.Empty : ImmutableDictionary.CreateRange(attributes);
    }

    private Node(Node other)
        => (Name, Operator, Inputs, Outputs, Attributes, _beyond) = (other.Name, other.Operator, other.Inputs, other.Outputs, other.Attributes, other._beyond);

    /// <summary>Unique name, also the name of the layer.</summary>
    public string Name { get; private init; }

    /// <summary>ONNX operator name, such as <c>Gemm</c> or <c>Conv</c>.</summary>
    public string Operator { get; private init; }

    /// <summary>Domain of the operator; empty for the ONNX standard's own.</summary>
    public string Domain { get => _beyond.Domain; internal init => _beyond = _beyond.With(value, Captured, Proto); }

    /// <summary>Names of the tensors and parameters read, in the operator's order; empty for an optional one left out.</summary>
    public ImmutableArray<string> Inputs { get; private init; }

    /// <summary>Names of the tensors produced; empty for an optional one left out.</summary>
    public ImmutableArray<string> Outputs { get; private init; }

    /// <summary>Attributes by their ONNX name.</summary>
    public ImmutableDictionary<string, object> Attributes { get; private init; }

    /// <summary>Tensors that the subgraphs of an If, Loop or Scan read from outside.</summary>
    internal ImmutableArray<string> Captured { get => _beyond.Captured; init => _beyond = _beyond.With(Domain, value, Proto); }

    /// <summary>The node as it was read, where it holds what is carried: a text, metadata or graphs. Null for others, and for those that were built.</summary>
    internal NodeProto? Proto { get => _beyond.Proto; init => _beyond = _beyond.With(Domain, Captured, value); }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Operator}): {string.Join(", ", Inputs)} => {string.Join(", ", Outputs)}";

    /// <summary>Whether the file computes it as in training.</summary>
    internal bool IsTraining => Domain.Length == 0 && Operator is "BatchNormalization" or "Dropout" && Int(TrainingMode, 0) == 1;

    internal long Int(string attribute, long otherwise) => Attributes.TryGetValue(attribute, out var value) ? (long)value : otherwise;

    internal float Float(string attribute, float otherwise) => Attributes.TryGetValue(attribute, out var value) ? (float)value : otherwise;

    internal string Text(string attribute, string otherwise) => Attributes.TryGetValue(attribute, out var value) ? (string)value : otherwise;

    internal long[] Ints(string attribute, params long[] otherwise) => Attributes.TryGetValue(attribute, out var value) ? (long[])value : otherwise;

    internal float[] Floats(string attribute, params float[] otherwise) => Attributes.TryGetValue(attribute, out var value) ? (float[])value : otherwise;

    /// <summary>An axis counted from the first dimension, where a negative one counts from behind the last.</summary>
    internal static int Resolve(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    /// <summary>The attribute <c>axis</c> of a node that reads so many dimensions, counted from the first.</summary>
    internal int Axis(int rank, long otherwise) => Resolve(Int("axis", otherwise), rank);

    /// <summary>The attribute <c>axes</c> of a node that reads so many dimensions, counted from the first.</summary>
    internal int[] Axes(int rank, params long[] otherwise) => [.. Ints("axes", otherwise).Select(axis => Resolve(axis, rank))];

    /// <summary>Name of an input; null where it is left out.</summary>
    internal string? Input(int index) => index < Inputs.Length && Inputs[index].Length > 0 ? Inputs[index] : null;

    internal Node With(string attribute, object value) => new(this) { Attributes = Attributes.SetItem(attribute, value) };

    internal Node Without(string attribute) => new(this) { Attributes = Attributes.Remove(attribute) };

    internal Node AsOperator(string @operator, IEnumerable<string> inputs) => new(this) { Operator = @operator, Inputs = [.. inputs] };

    internal Node WithOnly(params (string Name, object Value)[] attributes)
        => new(this) { Attributes = attributes.ToImmutableDictionary(attribute => attribute.Name, attribute => attribute.Value) };

    internal Node WithInputs(IEnumerable<string> inputs) => new(this) { Inputs = [.. inputs] };

    internal Node WithOutputs(IEnumerable<string> outputs) => new(this) { Outputs = [.. outputs] };

    internal Node Named(string name) => new(this) { Name = name };

    /// <summary>What only nodes of other domains, and those with graphs or texts of their own, have: all others share one.</summary>
    private sealed record Beyond(string Domain, ImmutableArray<string> Captured, NodeProto? Proto)
    {
        public static Beyond Standard { get; } = new("", [], null);

        public Beyond With(string domain, ImmutableArray<string> captured, NodeProto? proto)
            => domain.Length == 0 && captured.IsEmpty && proto is null ? Standard : new(domain, captured, proto);
    }
}
