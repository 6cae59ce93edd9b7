using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Pipeline.Onnx;

/// <summary>Names of the slots of an output, where ML.NET's ONNX transformer looks for them: in a node whose output nothing reads.</summary>
internal static class SlotNames
{
    private const string Prefix = "MLNet.Pruning.";

    public static void Add(ModelProto model, string output, IEnumerable<string> names)
    {
        var keys = new AttributeProto { Name = "keys_strings", Type = AttributeType.Strings };
        keys.Strings.AddRange(names.Select(ByteString.CopyFromUtf8));
        var values = new AttributeProto { Name = "values_int64s", Type = AttributeType.Ints };
        values.Ints.AddRange(Enumerable.Range(0, keys.Strings.Count).Select(i => (long)i));
        model.Graph.Initializer.Add(new TensorProto { Name = Prefix + "Slot", DataType = (int)DataType.String, Dims = { 1 },
            StringData = { ByteString.CopyFromUtf8("") } });
        model.Graph.Node.Add(new NodeProto
        {
            Name = $"mlnet.{output}.SlotNames",
            OpType = "LabelEncoder",
            Domain = "ai.onnx.ml",
            Input = { Prefix + "Slot" },
            Output = { Prefix + "SlotIndex" },
            Attribute = { keys, values },
        });
        if (model.OpsetImport.FirstOrDefault(import => import.Domain == "ai.onnx.ml") is { } import)
        {
            import.Version = Math.Max(import.Version, 2);
        }
        else
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 2 });
        }
    }
}
