using System.Text;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>The type of an input or output as the file has it: null dimensions where there are none, 0 for a size that is not known.</summary>
internal sealed record GraphValue(string Name, int ElementType, int[]? Dimensions);

/// <summary>
/// What the transformer asks of a model file and the runtime does not tell: types as they are written, before shape
/// inference, and slot names. It is a handful of fields of a file that the runtime has accepted, so protobuf's wire format
/// is read here rather than through a second copy of the ONNX schema.
/// </summary>
internal sealed class GraphReader
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;
    private const int Fixed32 = 5;

    public GraphReader(ReadOnlyMemory<byte> model)
    {
        const int ModelGraph = 7;
        foreach (Field graph in FieldsOf(model).Where(field => field.Is(ModelGraph)))
        {
            ReadGraph(graph.Content);
        }
    }

    public Dictionary<string, GraphValue> Inputs { get; } = [];

    public Dictionary<string, GraphValue> Outputs { get; } = [];

    /// <summary>By the names of their nodes the texts of attribute keys_strings.</summary>
    public Dictionary<string, string[]> KeyStrings { get; } = [];

    private void ReadGraph(ReadOnlyMemory<byte> graph)
    {
        const int Node = 1;
        const int Input = 11;
        const int Output = 12;
        foreach (Field field in FieldsOf(graph).Where(field => field.Wire == Bytes))
        {
            switch (field.Number)
            {
                case Node:
                    ReadNode(field.Content);
                    break;
                case Input:
                    GraphValue input = ReadValue(field.Content);
                    Inputs[input.Name] = input;
                    break;
                case Output:
                    GraphValue output = ReadValue(field.Content);
                    Outputs[output.Name] = output;
                    break;
            }
        }
    }

    private void ReadNode(ReadOnlyMemory<byte> node)
    {
        const int Name = 3;
        const int Attribute = 5;
        const int AttributeName = 1;
        const int AttributeStrings = 9;
        string name = "";
        string[]? keys = null;
        foreach (Field field in FieldsOf(node))
        {
            if (field.Is(Name))
            {
                name = field.Text;
            }
            else if (field.Is(Attribute) && FieldsOf(field.Content).Any(part => part.Is(AttributeName) && part.Text == "keys_strings"))
            {
                keys ??= [.. FieldsOf(field.Content).Where(part => part.Is(AttributeStrings)).Select(part => part.Text)];
            }
        }

        if (keys is not null)
        {
            KeyStrings.TryAdd(name, keys);
        }
    }

    private static GraphValue ReadValue(ReadOnlyMemory<byte> value)
    {
        const int Name = 1;
        const int Type = 2;
        const int TensorType = 1;
        const int ElementType = 1;
        const int Shape = 2;
        const int Dimension = 1;
        const int DimensionValue = 1;
        string name = "";
        int elementType = 0;
        int[]? dimensions = null;
        foreach (Field field in FieldsOf(value))
        {
            if (field.Is(Name))
            {
                name = field.Text;
            }

            foreach (Field tensor in field.Is(Type) ? FieldsOf(field.Content).Where(part => part.Is(TensorType)) : [])
            {
                foreach (Field part in FieldsOf(tensor.Content))
                {
                    if (part.Number == ElementType && part.Wire == Varint)
                    {
                        elementType = (int)part.Number64;
                    }
                    else if (part.Is(Shape))
                    {
                        dimensions =
                        [
                            .. FieldsOf(part.Content).Where(dimension => dimension.Is(Dimension)).Select(dimension =>
                                FieldsOf(dimension.Content).Where(size => size.Number == DimensionValue && size.Wire == Varint)
                                    .Select(size => checked((int)Math.Max(size.Number64, 0))).LastOrDefault()),
                        ];
                    }
                }
            }
        }

        return new GraphValue(name, elementType, dimensions);
    }

    private static IEnumerable<Field> FieldsOf(ReadOnlyMemory<byte> message)
    {
        int position = 0;
        while (position < message.Length)
        {
            long tag = ReadVarint(message.Span, ref position);
            int wire = (int)(tag & 7);
            long number = 0;
            int length = 0;
            switch (wire)
            {
                case Varint:
                    number = ReadVarint(message.Span, ref position);
                    break;
                case Fixed64:
                    length = 8;
                    break;
                case Fixed32:
                    length = 4;
                    break;
                case Bytes:
                    long size = ReadVarint(message.Span, ref position);
                    length = size >= 0 && size <= message.Length - position ? (int)size : throw Damaged();
                    break;
                default:
                    throw Damaged();
            }

            if (length > message.Length - position)
            {
                throw Damaged();
            }

            yield return new Field((int)(tag >> 3), wire, number, message.Slice(position, length));
            position += length;
        }
    }

    private static long ReadVarint(ReadOnlySpan<byte> message, ref int position)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            if (position >= message.Length)
            {
                throw Damaged();
            }

            byte next = message[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return (long)value;
            }
        }

        throw Damaged();
    }

    private static FormatException Damaged() => new("The ONNX model is cut short or damaged");

    private readonly record struct Field(int Number, int Wire, long Number64, ReadOnlyMemory<byte> Content)
    {
        public string Text => Encoding.UTF8.GetString(Content.Span);

        public bool Is(int number) => Number == number && Wire == Bytes;
    }
}
