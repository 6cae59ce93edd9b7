using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks;

/// <summary>Appends layers to a growing graph; keeps the shape of the last tensor so that a layer can size its weights by it.</summary>
internal sealed class GraphBuilder
{
    private readonly TensorInfo _input;
    private readonly List<Node> _nodes = [];
    private readonly List<Parameter> _parameters = [];
    private readonly Dictionary<string, int> _ordinals = [];
    private readonly HashSet<string> _names = [];
    private readonly Dictionary<string, ImmutableArray<int>> _shapes = [];
    private readonly Symbols _symbols = new();
    private TensorInfo _last;

    public GraphBuilder(ReadOnlySpan<int> inputShape)
    {
        if (inputShape.Length is not (1 or 3) || inputShape.ContainsAnyInRange(int.MinValue, 0))
        {
            throw new ArgumentException(
                $"The input shape is [{string.Join(", ", inputShape.ToArray())}]; expected [features] or [channels, height, width] with sizes of at least 1.",
                nameof(inputShape));
        }

        _last = _input = new TensorInfo("input", [-1, .. inputShape]);
        _shapes[_input.Name] = _input.Shape;
    }

    /// <summary>Shape of the tensor the next layer reads, the batch first.</summary>
    public ImmutableArray<int> Shape => _last.Shape;

    public string Last => _last.Name;

    public Network ToNetwork() => _nodes.Count > 0
        ? new Network(new NetworkParts { Inputs = [_input], Outputs = [Last], Nodes = [.. _nodes], Parameters = [.. _parameters], Symbols = _symbols })
        : throw new ArgumentException("A network needs at least one layer.", "layers");

    /// <summary>The given name, or the kind with its ordinal: fc1, fc2, conv1, ...</summary>
    public string Name(string kind, string? given)
    {
        var name = given ?? $"{kind}{_ordinals[kind] = _ordinals.GetValueOrDefault(kind) + 1}";
        return _names.Add(name) ? name : throw new ArgumentException($"Two layers are named '{name}'.");
    }

    public string Parameter(string name, ImmutableArray<int> shape, Initializer initializer, bool trainable = true)
    {
        var count = shape.Aggregate(1.0, (product, size) => product * size);
        if (count > Array.MaxLength)
        {
            throw new ArgumentException($"Parameter '{name}' of {TensorInfo.Dimensions(shape)} would have {count:N0} values; a parameter holds at most "
                + $"{Array.MaxLength:N0}.", "layers");
        }

        _parameters.Add(new Parameter(name, shape, null, trainable, initializer));
        _shapes[name] = shape;
        return name;
    }

    /// <summary>Adds a node that reads the last tensor (or <paramref name="data"/>) and the given parameters.</summary>
    public void Append(string name, string @operator, IEnumerable<string>? parameters = null,
        IEnumerable<KeyValuePair<string, object>>? attributes = null, IEnumerable<string>? data = null)
    {
        var node = new Node(name, @operator, [.. data ?? [Last], .. parameters ?? []], [name + ".out"], attributes);
        _nodes.Add(node);
        _last = ShapeInference.Outputs(node, [.. node.Inputs.Select(input => new TensorInfo(input, _shapes[input]))], _symbols).Single();
        _shapes[_last.Name] = _last.Shape;
    }
}
