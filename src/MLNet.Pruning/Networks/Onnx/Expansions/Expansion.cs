using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx.Expansions;

/// <summary>Takes the simpler nodes that one node stands for.</summary>
/// <param name="node">The node.</param>
/// <param name="opset">Version of the standard that the file is written for.</param>
/// <param name="info">Shape and type of whatever has a name.</param>
/// <param name="values">Known values by name; constants that the nodes need are added.</param>
/// <param name="unique">Makes a name unique in the file.</param>
/// <param name="add">Takes a node in the inner form.</param>
/// <param name="symbols">Open sizes.</param>
/// <param name="unpack">The weight that a node reads as packed integers; null where it is of another form.</param>
internal sealed class Expansion(
    Node node, long opset, Func<string, TensorInfo> info, Dictionary<string, FoldedValue> values, Func<string, string> unique, Action<Node> add,
    Symbols symbols, Func<Node, FoldedValue?> unpack)
{
    private bool _isNamed;

    public Symbols Symbols => symbols;

    public long Opset => opset;

    /// <summary>The numbers that a name stands for; null where they are not known.</summary>
    public float[]? Floats(string name) => values.GetValueOrDefault(name)?.Floats;

    /// <summary>Shape of a tensor; default where it is not known.</summary>
    public ImmutableArray<int> Shape(string tensor) => info(tensor).Shape;

    public TensorType Type(string tensor) => info(tensor).Type;

    /// <summary>Adds a node and names what it computes.</summary>
    public string Emit(string @operator, string[] inputs, params (string Name, object Value)[] attributes) => Emit(null, @operator, inputs, attributes);

    /// <summary>Adds a node that computes a tensor of a given name, or of one made up.</summary>
    public string Emit(string? output, string @operator, string[] inputs, params (string Name, object Value)[] attributes)
    {
        output ??= unique($"{node.Name}.{@operator.ToLowerInvariant()}");
        EmitAs(output, @operator, inputs, attributes);
        return output;
    }

    /// <summary>Adds a node that computes one of the outputs; the one with a weight, else the first, bears the name of what it stands for.</summary>
    public void EmitAs(string output, string @operator, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var isMain = !_isNamed && @operator is "Conv" or "Gemm" or "MatMul" or "LayerNormalization" or "Gelu";
        _isNamed |= isMain;
        var own = attributes.Select(attribute => KeyValuePair.Create(attribute.Name, attribute.Value));
        add(new(isMain ? node.Name : unique($"{node.Name}/{@operator}"), @operator, inputs, [output], own));
    }

    /// <summary>A number as a tensor without dimensions.</summary>
    public string Number(float value) => Value(new(TensorType.Float, [], null, [value]));

    /// <summary>Numbers in a row; a single one without dimensions.</summary>
    public string Numbers(float[] numbers) => Value(new(TensorType.Float, numbers.Length == 1 ? [] : [numbers.Length], null, numbers));

    /// <summary>A size, open or not, as a tensor without dimensions.</summary>
    public string Size(int size) => Value(new(TensorType.Int64, [], [FoldedValue.FromSize(size)], null));

    /// <summary>A tensor cut into parts along a dimension.</summary>
    public string[] EmitSplit(string tensor, int axis, long[] sizes)
    {
        string[] parts = [.. sizes.Select(_ => unique(node.Name + ".part"))];
        add(new(unique(node.Name + "/Split"), "Split", [tensor], parts, [new("axis", (long)axis), new("split", sizes)]));
        return parts;
    }

    /// <summary>The last two dimensions swapped.</summary>
    public string Transposed(string tensor)
    {
        var rank = Shape(tensor).Length;
        var order = Enumerable.Range(0, rank).Select(d => (long)(d < rank - 2 ? d : 2 * rank - 3 - d)).ToArray();
        return rank < 2 ? tensor : Emit("Transpose", [tensor], ("perm", order));
    }

    public string Reshaped(string tensor, params int[] shape) => Emit("Reshape", [tensor], ("shape", shape.Select(size => (long)size).ToArray()));

    /// <summary>The weight that the node reads as packed integers; null where it is of another form.</summary>
    public string? Unpacked() => unpack(node) is { } weight ? Value(weight, "weight") : null;

    private string Value(FoldedValue value, string kind = "constant")
    {
        var name = unique($"{node.Name}.{kind}");
        values[name] = value;
        return name;
    }
}
