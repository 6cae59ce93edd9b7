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

    /// <summary>Bytes that the objects of any file may take; larger ones may take more by their size.</summary>
    private const long Allowance = 28 << 20;

    /// <summary>What a packed node without tensors takes once it is one of a network's.</summary>
    private const long NodeSize = 300;

    /// <exception cref="InvalidProtocolBufferException">The bytes are no whole message.</exception>
    /// <exception cref="OnnxFormatException">They stand for many more objects than their number allows.</exception>
    public static ModelProto Parse(byte[] bytes)
    {
        var model = new ModelProto();
        var objects = 0L;
        foreach (var (start, end) in Fields(bytes, 0, bytes.Length))
        {
            using var field = new CodedInputStream(bytes, start, end - start);
            if (field.ReadTag() != GraphTag)
            {
                Count(ref objects, bytes, ParsedSize.Of(bytes.AsSpan(start, end - start), ModelProto.Descriptor));
                model.MergeFrom(bytes.AsSpan(start, end - start));
                continue;
            }

            field.ReadLength();
            Merge(model.Graph ??= new(), bytes, (int)field.Position, end, ref objects);
        }

        return model;
    }

    private static void Merge(GraphProto graph, byte[] bytes, int start, int end, ref long objects)
    {
        if (Fields(bytes, start, end).Count(field => bytes[field.Start] == NodeTag) <= PackedNodes.MostInARun)
        {
            Count(ref objects, bytes, ParsedSize.Of(bytes.AsSpan(start, end - start), GraphProto.Descriptor));
            graph.MergeFrom(bytes.AsSpan(start, end - start));
            return;
        }

        var nodes = new PackedNodes();
        foreach (var (from, to) in Fields(bytes, start, end))
        {
            var field = bytes.AsSpan(from, to - from);
            var before = objects;
            Count(ref objects, bytes, ParsedSize.Of(field, GraphProto.Descriptor));
            graph.MergeFrom(field);
            if (bytes[from] == NodeTag)
            {
                objects = nodes.Add(graph.Node[^1], field) && graph.Node[^1].Attribute.All(PackedNodes.IsPlain) ? before + NodeSize : objects;
                graph.Node.RemoveAt(graph.Node.Count - 1);
            }
        }

        nodes.AddTo(graph);
    }

    private static void Count(ref long objects, byte[] bytes, long more)
    {
        // With what is made of them before they go.
        objects += more + (more / 2);
        var most = Allowance + (2L * bytes.Length);
        if (objects > most)
        {
            throw new OnnxFormatException($"stands for more than {most} bytes of objects, such as nodes and tensors without their values; expected at most "
                + $"that, which is {Allowance >> 20} MB and twice its {bytes.Length} bytes.");
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
}
