using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Whether an attribute has the value that its type says, and no other.</summary>
internal static class OnnxAttributeCheck
{
    /// <exception cref="OnnxFormatException">It has not.</exception>
    public static void Run(AttributeProto attribute, string place)
    {
        if (attribute.Name.Length == 0)
        {
            throw new OnnxFormatException($"{place} has no name.");
        }

        if (attribute.Type is <= AttributeType.Undefined or > AttributeType.TypeProtos)
        {
            throw new OnnxFormatException($"{place} has the type {(int)attribute.Type}; expected 1 (float) to {(int)AttributeType.TypeProtos} (types).");
        }

        var filled = Filled(attribute).ToList();
        if (attribute.RefAttrName.Length > 0)
        {
            if (filled.Count > 0)
            {
                throw new OnnxFormatException($"{place} refers to '{attribute.RefAttrName}' and has a value of type {filled[0]}; expected one of the two.");
            }

            return;
        }

        // Writers that know no presence leave out zeros and empty strings; lists may be empty.
        var missing = filled.Count == 0 && attribute.Type is AttributeType.Tensor or AttributeType.Graph or AttributeType.SparseTensor
            or AttributeType.TypeProto;
        if (missing || filled.Exists(type => type != attribute.Type))
        {
            throw new OnnxFormatException($"{place} of type {attribute.Type} has {(missing ? "no value" : $"a value of type {string.Join(", ", filled)}")}; "
                + "expected one of its type.");
        }
    }

    private static IEnumerable<AttributeType> Filled(AttributeProto attribute) => new (AttributeType Type, bool Filled)[]
    {
        (AttributeType.Float, attribute.HasF), (AttributeType.Int, attribute.HasI), (AttributeType.String, attribute.HasS),
        (AttributeType.Tensor, attribute.T is not null), (AttributeType.Graph, attribute.G is not null),
        (AttributeType.SparseTensor, attribute.SparseTensor is not null), (AttributeType.TypeProto, attribute.Tp is not null),
        (AttributeType.Floats, attribute.Floats.Count > 0), (AttributeType.Ints, attribute.Ints.Count > 0),
        (AttributeType.Strings, attribute.Strings.Count > 0), (AttributeType.Tensors, attribute.Tensors.Count > 0),
        (AttributeType.Graphs, attribute.Graphs.Count > 0), (AttributeType.SparseTensors, attribute.SparseTensors.Count > 0),
        (AttributeType.TypeProtos, attribute.TypeProtos.Count > 0),
    }.Where(field => field.Filled).Select(field => field.Type);
}
