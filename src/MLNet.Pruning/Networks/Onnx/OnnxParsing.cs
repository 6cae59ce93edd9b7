using Google.Protobuf;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Parses a model field by field, which protobuf allows since merging the parts gives the whole. The nodes of a long graph are packed before the next are
/// read: a list that protobuf parses has room for eight, and each text is one of its own, so that nodes of 24 bytes would take 550. The values of large
/// initializers are not copied: they stay where they are in the bytes of a model in memory, and are read from a file into arrays of their own.
/// </summary>
internal sealed class OnnxParsing
{
    /// <summary>Bytes of values from which on those of an initializer are not parsed with the rest.</summary>
    public const int LargeValues = 1024;

    /// <summary>Bytes that the objects of any file may take; larger ones may take more by their size.</summary>
    private const long Allowance = 28 << 20;

    /// <summary>What a packed node without tensors takes once it is one of a network's.</summary>
    private const long NodeSize = 300;

    private static readonly uint s_graph = Tag(ModelProto.GraphFieldNumber);
    private static readonly uint s_node = Tag(GraphProto.NodeFieldNumber);
    private static readonly uint s_initializer = Tag(GraphProto.InitializerFieldNumber);
    private static readonly uint s_values = Tag(TensorProto.RawDataFieldNumber);

    /// <summary>What a tag and a length, or a number, take at most.</summary>
    private const int LongestStart = 20;

    private readonly ModelBytes _bytes;
    private readonly long _most;
    private readonly bool _isCounted;
    private long _objects;

    private OnnxParsing(ModelBytes bytes)
    {
        (_bytes, _most) = (bytes, Allowance + (2L * bytes.Length));
        // What protobuf tells about its messages takes a tenth of a second to compile: a file too short to pass the limit is not counted.
        _isCounted = WithMade((bytes.Length - LengthOfLargeValues()) * ParsedSize.MostPerByte) > _most;
    }

    /// <exception cref="InvalidProtocolBufferException">The bytes are no whole message.</exception>
    /// <exception cref="OnnxFormatException">They stand for many more objects than their number allows.</exception>
    public static ModelProto Parse(ModelBytes bytes) => new OnnxParsing(bytes).Parse();

    private static uint Tag(int field) => ((uint)field << 3) | (uint)WireFormat.WireType.LengthDelimited;

    /// <summary>With what is made of them before they go.</summary>
    private static long WithMade(long objects) => objects + (objects / 2);

    private ModelProto Parse()
    {
        var model = new ModelProto();
        foreach (var field in Fields(0, _bytes.Length))
        {
            if (field.Tag == s_graph)
            {
                Merge(model.Graph ??= new(), field.Content, field.End);
                continue;
            }

            if (_isCounted)
            {
                Count(ParsedSize.Of(_bytes.Range(field.Start, field.End), ModelProto.Descriptor));
            }

            model.MergeFrom(_bytes.Range(field.Start, field.End));
        }

        _bytes.ReadValues();
        return model;
    }

    private void Merge(GraphProto graph, int start, int end)
    {
        var packed = PackedNodes.IsLong(Fields(start, end).Count(field => field.Tag == s_node)) ? new PackedNodes() : null;
        foreach (var field in Fields(start, end))
        {
            var before = _objects;
            if (_isCounted)
            {
                Count(ParsedSize.Of(_bytes.Range(field.Start, field.End), GraphProto.Descriptor));
            }

            if (field.Tag == s_initializer)
            {
                var tensor = new TensorProto();
                Merge(tensor, field.Content, field.End);
                graph.Initializer.Add(tensor);
                continue;
            }

            var bytes = _bytes.Range(field.Start, field.End);
            graph.MergeFrom(bytes);
            if (field.Tag == s_node && packed is not null)
            {
                _objects = packed.Add(graph.Node[^1], bytes) && graph.Node[^1].Attribute.All(PackedNodes.IsPlain) ? before + NodeSize : _objects;
                graph.Node.RemoveAt(graph.Node.Count - 1);
            }
        }

        packed?.AddTo(graph);
    }

    private void Merge(TensorProto tensor, int start, int end)
    {
        var values = default(Field);
        foreach (var field in Fields(start, end).Where(IsLargeValues))
        {
            tensor.MergeFrom(_bytes.Range(start, field.Start));
            tensor.ClearRawData();
            (values, start) = (field, field.End);
        }

        tensor.MergeFrom(_bytes.Range(start, end));
        // Of values that are given twice the last count.
        if (values is not null && !tensor.HasRawData)
        {
            tensor.RawData = _bytes.Values(values.Content, values.Length, tensor.DataType == (int)TensorProto.Types.DataType.Float);
        }
    }

    private long LengthOfLargeValues() => Fields(0, _bytes.Length).Where(field => field.Tag == s_graph)
        .SelectMany(graph => Fields(graph.Content, graph.End)).Where(field => field.Tag == s_initializer)
        .SelectMany(initializer => Fields(initializer.Content, initializer.End)).Where(IsLargeValues).Sum(field => (long)field.Length);

    private static bool IsLargeValues(Field field) => field.Tag == s_values && field.Length >= LargeValues;

    private void Count(long more)
    {
        _objects += WithMade(more);
        if (_objects > _most)
        {
            throw new OnnxFormatException($"stands for more than {_most} bytes of objects, such as nodes and tensors without their values; expected at most "
                + $"that, which is {Allowance >> 20} MB and twice its {_bytes.Length} bytes.");
        }
    }

    /// <summary>The fields of a message.</summary>
    private IEnumerable<Field> Fields(int start, int end)
    {
        using var input = new CodedInputStream(_bytes.With(start, start), start, end - start);
        while (start < end)
        {
            var bytes = _bytes.With(start, start + LongestStart);
            var tag = input.ReadTag();
            var content = (int)input.Position;
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.StartGroup)
            {
                // Fields up to its end, which is not told.
                _bytes.With(content, end);
            }

            input.SkipLastField();
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                // Behind the length, each byte of which but the last says that another follows.
                content += 1 + bytes.AsSpan(content).IndexOfAnyInRange((byte)0, (byte)0x7F);
            }

            yield return new(tag, start, content, (int)input.Position);
            start = (int)input.Position;
        }
    }

    /// <summary>A field of a message.</summary>
    /// <param name="Tag">Its number and how it is written.</param>
    /// <param name="Start">Where it begins.</param>
    /// <param name="Content">Where its content begins, behind tag and length.</param>
    /// <param name="End">Where the next begins.</param>
    private sealed record Field(uint Tag, int Start, int Content, int End)
    {
        public int Length => End - Content;
    }
}
