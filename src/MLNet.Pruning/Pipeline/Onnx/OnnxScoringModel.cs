using Google.Protobuf;
using MLNet.Pruning.Data;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Pipeline.Onnx;

/// <summary>
/// A network's ONNX model as ML.NET's ONNX transformer runs it, a row at a time: it reads the columns of the chain as they are, and
/// gives vectors. Written in operators that mean the same in all versions of the standard from 7 on.
/// </summary>
internal sealed class OnnxScoringModel
{
    /// <summary>The output that holds the probabilities of the classes.</summary>
    public const string Scores = Prefix + "Scores";

    private const string Prefix = "MLNet.Pruning.";

    /// <summary>Added to negative ids, so that a lookup refuses them where it would count them from the end.</summary>
    private const long BeyondTables = 1 << 30;

    private readonly NetworkState _state;
    private readonly GraphProto _graph;
    private readonly List<NodeProto> _head = [];
    private readonly List<NodeProto> _tail = [];
    private List<NodeProto> _nodes;

    /// <param name="state">The network and what its outputs mean.</param>
    /// <param name="head">The linear model that makes a scalar of the model's vector of one.</param>
    public OnnxScoringModel(NetworkState state, ScalarHead head)
    {
        (_state, Model, _nodes) = (state, OnnxWriter.Write(InferenceForm.OfTraining(state.Network)), _head);
        _graph = Model.Graph;
        AddInputs();
        _nodes = _tail;
        _graph.Output.Clear();
        Outputs = AddOutputs(head);
        var nodes = _graph.Node.ToArray();
        _graph.Node.Clear();
        _graph.Node.AddRange([.. _head, .. nodes, .. _tail]);
        if (state is { Task.HasOutputPerClass: true, Keys.Texts: { } names })
        {
            SlotNames.Add(Model, Scores, names);
        }
    }

    public ModelProto Model { get; }

    /// <summary>Names of its inputs, one a column of the network's.</summary>
    public ImmutableArray<string> Inputs => [.. _state.Inputs.Columns.Select((_, i) => $"{Prefix}Input{i}")];

    /// <summary>Names of its outputs.</summary>
    public ImmutableArray<string> Outputs { get; }

    private void AddInputs()
    {
        var network = _state.Network;
        foreach (var old in _graph.Input.Where(input => network.Inputs.Any(other => other.Name == input.Name)).ToArray())
        {
            _graph.Input.Remove(old);
        }

        for (var i = 0; i < Inputs.Length; i++)
        {
            var (input, column, name) = (network.Inputs[i], _state.Inputs.Columns[i], Inputs[i]);
            int[] shape = [1, .. input.Shape.Skip(1)];
            var swapped = _state.Inputs.Layout == ImageLayout.ChannelsLast && shape.Length == 4;
            _graph.Input.Add(Describe(name, TypeOf(column), swapped ? [1, shape[2], shape[3], shape[1]] : shape));
            var value = swapped ? Node("Transpose", [name], Ints("perm", 0, 3, 1, 2)) : name;
            value = NetworkInputs.IsIntegerInput(input) ? Ids(value, column, input) : value;
            _head.Add(Create("Cast", [value], input.Name, Int("to", (int)input.Type)));
        }
    }

    private string Ids(string value, InputColumn column, TensorInfo input)
    {
        var ids = Cast(value, DataType.Int64);
        if (column.ItemType is KeyDataViewType)
        {
            ids = Node("Sub", [ids, Constant([1L])]);
        }

        if (EmbeddingTables.Range(_state.Network, input.Name) is null)
        {
            return ids;
        }

        var negative = Node("Less", [Cast(ids, DataType.Float), Constant([0f])]);
        return Node("Add", [ids, Node("Mul", [Cast(negative, DataType.Int64), Constant([BeyondTables])])]);
    }

    private ImmutableArray<string> AddOutputs(ScalarHead head)
    {
        var (network, outputs) = (_state.Network, _state.Network.Output.RowSize);
        var logits = network.Logits;
        if (network.Output.Type != TensorType.Float)
        {
            logits = Cast(logits, DataType.Float);
        }

        if (!_state.Task.HasOutputPerClass)
        {
            var value = Node("Sub", [Node("Reshape", [logits, Constant([1L])]), Constant([head.Bias])]);
            return [Output(Create("Div", [value, Constant([head.Weight])], ScalarHead.Column), 1)];
        }

        var probabilities = Node("Softmax", [Node("Reshape", [logits, Constant([1L, outputs])])], Int("axis", 1));
        var scores = Output(Create("Reshape", [probabilities, Constant([(long)outputs])], Scores), outputs);
        var best = Node("ArgMax", [scores], Int("axis", 0), Int("keepdims", 1));
        var code = Node("Gather", [Constant([.. Enumerable.Range(1, outputs).Select(i => (float)i)]), best]);
        // Not a number where a score is none: no key is found for that.
        var valid = Node("ReduceSum", [Node("Sub", [scores, scores])], Int("keepdims", 0));
        return [scores, Output(Create("Add", [code, valid], ScalarHead.Column), 1)];
    }

    private string Cast(string value, DataType type) => Node("Cast", [value], Int("to", (int)type));

    private string Constant(long[] values) => Constant(OnnxTensor.FromLongs(Unique(), [values.Length], values, DataType.Int64));

    private string Constant(float[] values) => Constant(OnnxTensor.FromFloats(Unique(), [values.Length], values, DataType.Float));

    private string Constant(TensorProto tensor)
    {
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>Adds a node and names its output.</summary>
    private string Node(string @operator, string[] inputs, params AttributeProto[] attributes)
    {
        var node = Create(@operator, inputs, Unique(), attributes);
        _nodes.Add(node);
        return node.Output[0];
    }

    private string Output(NodeProto node, int size)
    {
        _nodes.Add(node);
        _graph.Output.Add(Describe(node.Output[0], DataType.Float, size));
        return node.Output[0];
    }

    private static NodeProto Create(string @operator, string[] inputs, string output, params AttributeProto[] attributes)
        => new() { Name = $"{Prefix}{@operator}.{output}", OpType = @operator, Input = { inputs }, Output = { output }, Attribute = { attributes } };

    private string Unique() => $"{Prefix}{_graph.Initializer.Count + _head.Count + _tail.Count}";

    private static AttributeProto Int(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    private static AttributeProto Ints(string name, params long[] values) => new() { Name = name, Type = AttributeType.Ints, Ints = { values } };

    private static ValueInfoProto Describe(string name, DataType type, params int[] shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = new() };
        tensor.Shape.Dim.AddRange(shape.Select(size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        return new() { Name = name, Type = new() { TensorType = tensor } };
    }

    private static DataType TypeOf(InputColumn column) => Type.GetTypeCode(column.ItemType.RawType) switch
    {
        TypeCode.Single => DataType.Float,
        TypeCode.SByte => DataType.Int8,
        TypeCode.Byte => DataType.Uint8,
        TypeCode.Int16 => DataType.Int16,
        TypeCode.UInt16 => DataType.Uint16,
        TypeCode.Int32 => DataType.Int32,
        TypeCode.UInt32 => DataType.Uint32,
        TypeCode.Int64 => DataType.Int64,
        TypeCode.UInt64 => DataType.Uint64,
        TypeCode.Boolean => DataType.Bool,
        _ => throw new NotSupportedException($"Column '{column.Name}' of type {column} cannot be read by an ONNX model."),
    };
}
