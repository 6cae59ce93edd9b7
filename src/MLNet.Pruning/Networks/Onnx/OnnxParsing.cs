using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Parses a model field by field, which protobuf allows since merging the parts gives the whole, and makes each node small before the next is read: a list that
/// protobuf parses has room for eight, and each text is one of its own, so that nodes of 24 bytes would take 550.
/// </summary>
internal static class OnnxParsing
{
    private const uint GraphTag = (ModelProto.GraphFieldNumber << 3) | (uint)WireFormat.WireType.LengthDelimited;

    private const byte NodeTag = (GraphProto.NodeFieldNumber << 3) | (byte)WireFormat.WireType.LengthDelimited;

    /// <summary>Bytes of the longest attribute that is looked for among earlier ones: settings are shorter, values may be long.</summary>
    private const int MostShared = 128;

    /// <exception cref="InvalidProtocolBufferException">The bytes are no whole message.</exception>
    public static ModelProto Parse(byte[] bytes)
    {
        var model = new ModelProto();
        foreach (var (start, end) in Fields(bytes, 0, bytes.Length))
        {
            using var field = new CodedInputStream(bytes, start, end - start);
            if (field.ReadTag() != GraphTag)
            {
                model.MergeFrom(bytes.AsSpan(start, end - start));
                continue;
            }

            field.ReadLength();
            Merge(model.Graph ??= new(), bytes, (int)field.Position, end);
        }

        return model;
    }

    private static void Merge(GraphProto graph, byte[] bytes, int start, int end)
    {
        var nodes = Fields(bytes, start, end).Count(field => bytes[field.Start] == NodeTag);
        graph.Node.Capacity = graph.Node.Count + nodes;
        var texts = new Dictionary<string, string>(nodes);
        var attributes = new Dictionary<string, AttributeProto>();
        foreach (var (from, to) in Fields(bytes, start, end))
        {
            var before = graph.Node.Count;
            graph.MergeFrom(bytes.AsSpan(from, to - from));
            if (graph.Node.Count > before)
            {
                Shrink(graph.Node[before], texts, attributes);
            }
        }
    }

    /// <summary>Where each field of a message lies, with its tag.</summary>
    private static IEnumerable<(int Start, int End)> Fields(byte[] bytes, int start, int end)
    {
        using var input = new CodedInputStream(bytes, start, end - start);
        while (input.ReadTag() != 0)
        {
            input.SkipLastField();
            yield return (start, (int)input.Position);
            start = (int)input.Position;
        }
    }

    private static void Shrink(NodeProto node, Dictionary<string, string> texts, Dictionary<string, AttributeProto> attributes)
    {
        if (node.HasOpType)
        {
            node.OpType = Shared(node.OpType, texts);
        }

        if (node.HasDomain)
        {
            node.Domain = Shared(node.Domain, texts);
        }

        Shrink(node.Input, texts);
        Shrink(node.Output, texts);
        node.Attribute.Capacity = node.Attribute.Count;
        for (var i = 0; i < node.Attribute.Count; i++)
        {
            // An attribute takes 500 bytes; most are those of other nodes too. One of tensors or graphs is its node's own: it is changed in place.
            if (PackedNodes.IsPlain(node.Attribute[i]) && node.Attribute[i].CalculateSize() <= MostShared)
            {
                // By its bytes as a text: hashes of texts cannot be made to collide by whoever made the file.
                var key = Encoding.Latin1.GetString(node.Attribute[i].ToByteArray());
                node.Attribute[i] = attributes.TryAdd(key, node.Attribute[i]) ? node.Attribute[i] : attributes[key];
            }
        }
    }

    private static void Shrink(RepeatedField<string> names, Dictionary<string, string> texts)
    {
        for (var i = 0; i < names.Count; i++)
        {
            names[i] = Shared(names[i], texts);
        }

        names.Capacity = names.Count;
    }

    /// <summary>One text for all that are equal: what one node writes another reads.</summary>
    private static string Shared(string text, Dictionary<string, string> texts) => texts.TryAdd(text, text) ? text : texts[text];
}
