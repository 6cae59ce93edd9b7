using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>One table of attributes for all nodes of a file that have the same: a table takes several times what it needs in the file.</summary>
internal sealed class SharedAttributes : IEqualityComparer<AttributeProto[]>
{
    private readonly Dictionary<AttributeProto[], ImmutableDictionary<string, object>> _tables;

    public SharedAttributes() => _tables = new(this);

    /// <summary>The attributes of a node by name.</summary>
    public ImmutableDictionary<string, object> Of(NodeProto node)
    {
        if (node.Attribute.Count == 0)
        {
            return ImmutableDictionary<string, object>.Empty;
        }

        if (!node.Attribute.All(PackedNodes.IsPlain))
        {
            return OnnxAttributes.Of(node);
        }

        AttributeProto[] key = [.. node.Attribute];
        return _tables.TryGetValue(key, out var table) ? table : _tables[key] = OnnxAttributes.Of(node);
    }

    /// <summary>Whether they are the same objects, as equal ones of a file are once it is parsed.</summary>
    public bool Equals(AttributeProto[]? x, AttributeProto[]? y) => x.AsSpan().SequenceEqual(y, ReferenceEqualityComparer.Instance);

    public int GetHashCode(AttributeProto[] attributes)
    {
        var hash = new HashCode();
        foreach (var attribute in attributes)
        {
            hash.Add(RuntimeHelpers.GetHashCode(attribute));
        }

        return hash.ToHashCode();
    }
}
