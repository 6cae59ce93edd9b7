using Google.Protobuf;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Parses a model field by field, which protobuf allows since merging the parts gives the whole, and packs the nodes of a long graph before the next are read:
/// a list that protobuf parses has room for eight, and each text is one of its own, so that nodes of 24 bytes would take 550.
/// </summary>
internal static class OnnxParsing
{
    private const uint GraphTag = (ModelProto.GraphFieldNumber << 3) | (uint)WireFormat.WireType.LengthDelimited;

    private const byte NodeTag = (GraphProto.NodeFieldNumber << 3) | (byte)WireFormat.WireType.LengthDelimited;

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
        if (Fields(bytes, start, end).Count(field => bytes[field.Start] == NodeTag) <= PackedNodes.MostInARun)
        {
            graph.MergeFrom(bytes.AsSpan(start, end - start));
            return;
        }

        var nodes = new PackedNodes();
        foreach (var (from, to) in Fields(bytes, start, end))
        {
            graph.MergeFrom(bytes.AsSpan(from, to - from));
            if (bytes[from] == NodeTag)
            {
                nodes.Add(graph.Node[^1], bytes.AsSpan(from, to - from));
                graph.Node.RemoveAt(graph.Node.Count - 1);
            }
        }

        nodes.AddTo(graph);
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
}
