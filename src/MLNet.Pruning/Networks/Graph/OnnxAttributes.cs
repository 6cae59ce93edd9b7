using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;

namespace MLNet.Pruning.Networks.Graph;

/// <summary>Attributes between the file and the network; those of other types than numbers and text are carried as they are.</summary>
internal static class OnnxAttributes
{
    public static Node ToNode(NodeProto proto, string name, IEnumerable<string> inputs, ImmutableArray<string> captured,
        ImmutableDictionary<string, object>? attributes = null)
        => new(name, proto.OpType, inputs, proto.Output, attributes ?? Of(proto))
        {
            Domain = proto.Domain == "ai.onnx" ? "" : proto.Domain,
            Captured = captured,
            Proto = IsCarried(proto) ? proto : null,
        };

    /// <summary>The attributes of a node by name.</summary>
    public static ImmutableDictionary<string, object> Of(NodeProto proto)
        => ImmutableDictionary.CreateRange(proto.Attribute.SelectMany(attribute => Value(proto, attribute)));

    /// <summary>Whether a node has what only its form in the file holds.</summary>
    private static bool IsCarried(NodeProto proto) => proto.HasDocString || proto.HasOverload || proto.MetadataProps.Count > 0
        || proto.Attribute.Any(attribute => OnnxGraphOrder.Subgraphs(attribute).Any());

    public static AttributeProto ToProto(string name, object value)
    {
        if (value is AttributeProto carried)
        {
            return carried;
        }

        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                (attribute.I, attribute.Type) = (number, AttributeType.Int);
                break;
            case float number:
                (attribute.F, attribute.Type) = (number, AttributeType.Float);
                break;
            case string text:
                (attribute.S, attribute.Type) = (Google.Protobuf.ByteString.CopyFromUtf8(text), AttributeType.String);
                break;
            case long[] numbers:
                attribute.Ints.AddRange(numbers);
                attribute.Type = AttributeType.Ints;
                break;
            case float[] numbers:
                attribute.Floats.AddRange(numbers);
                attribute.Type = AttributeType.Floats;
                break;
            default:
                throw new ArgumentException($"The attribute '{name}' is of type {value.GetType()}, which ONNX does not have.");
        }

        return attribute;
    }

    private static IEnumerable<KeyValuePair<string, object>> Value(NodeProto node, AttributeProto attribute)
    {
        if (node.OpType == "ConstantOfShape" && attribute is { Name: "value", T: { } tensor })
        {
            var type = (TensorType)tensor.DataType;
            return
            [
                new("dtype", (long)type),
                new("value", type is TensorType.Float or TensorType.Double or TensorType.Float16 or TensorType.BFloat16 ? OnnxTensor.ToFloats(tensor, null)[0]
                    : (float)OnnxTensor.ToLongs(tensor, null)[0]),
            ];
        }

        return
        [
            new(attribute.Name, attribute switch
            {
                { Type: AttributeType.Int } or { Type: AttributeType.Undefined, HasI: true } => attribute.I,
                { Type: AttributeType.Float } or { Type: AttributeType.Undefined, HasF: true } => attribute.F,
                { Type: AttributeType.String } => attribute.S.ToStringUtf8(),
                { Type: AttributeType.Ints } => attribute.Ints.ToArray(),
                { Type: AttributeType.Floats } => attribute.Floats.ToArray(),
                _ => attribute,
            }),
        ];
    }
}
