using System.Text;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// One table of attributes for all nodes of a file that have the same, and one text for all that have the same operator: a table takes several times what it
/// needs in the file. A graph that is not long has tables of its own for its nodes.
/// </summary>
/// <param name="nodes">How many the file has.</param>
internal sealed class SharedAttributes(int nodes)
{
    /// <summary>Bytes of the longest node whose attributes are looked for among earlier ones: settings are shorter, values may be long.</summary>
    private const int MostShared = 256;

    private readonly Dictionary<string, ImmutableDictionary<string, object>> _tables = [];
    private readonly Dictionary<string, string> _texts = [];

    /// <summary>The attributes of a node by name.</summary>
    public ImmutableDictionary<string, object> Of(NodeProto node)
    {
        if (node.Attribute.Count == 0)
        {
            return ImmutableDictionary<string, object>.Empty;
        }

        if (!PackedNodes.IsLong(nodes))
        {
            return OnnxAttributes.Of(node);
        }

        var alone = new NodeProto { Attribute = { node.Attribute } };
        if (!node.Attribute.All(PackedNodes.IsPlain) || alone.CalculateSize() > MostShared)
        {
            return OnnxAttributes.Of(node);
        }

        // By their bytes as a text: hashes of texts cannot be made to collide by whoever made the file.
        var key = Encoding.Latin1.GetString(alone.ToByteArray());
        return _tables.TryGetValue(key, out var table) ? table : _tables[key] = OnnxAttributes.Of(node);
    }

    /// <summary>The name of an operator or a domain, as the one text for all that are equal.</summary>
    public string Text(string text) => _texts.TryAdd(text, text) ? text : _texts[text];
}
