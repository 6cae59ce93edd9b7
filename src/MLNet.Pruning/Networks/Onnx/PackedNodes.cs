using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using AttributeType = MLNet.Pruning.Networks.Format.AttributeProto.Types.AttributeType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// The nodes of a model that is kept to be written back, as the bytes they are in a file, which take a twentieth of the objects. Those that hold tensors or
/// graphs stay as they are: their values are shared with what was read, or have still to be read in.
/// </summary>
internal static class PackedNodes
{
    /// <summary>So that the bytes of a run are no large object, which is collected late.</summary>
    private const int MostInARun = 1000;

    /// <summary>Puts one node, with the bytes in its one attribute, in the place of those that follow each other.</summary>
    public static void Pack(GraphProto graph)
    {
        var kept = new List<NodeProto>();
        var run = new GraphProto ();
        void End()
        {
            if (run.Node.Count > 0)
            {
                kept.Add(new NodeProto { Attribute = { new AttributeProto { Type = AttributeType.String, S = run.ToByteString() } } });
                run.Node.Clear();
            }
        }

        foreach (var node in graph.Node)
        {
            if (node.Attribute.All(IsPlain))
            {
                run.Node.Add(node);
                if (run.Node.Count == MostInARun)
                {
                    End();
                }

                continue;
            }

            End();
            kept.Add(node);
        }

        End();
        graph.Node.Clear();
        graph.Node.AddRange(kept);
        graph.Node.Capacity = kept.Count;
    }

    /// <summary>Puts the nodes back.</summary>
    public static void Unpack(GraphProto graph)
    {
        NodeProto[] packed = [.. graph.Node];
        graph.Node.Clear();
        foreach (var node in packed)
        {
            // Every node of a model that was checked has an operator.
            if (node.HasOpType)
            {
                graph.Node.Add(node);
            }
            else
            {
                graph.MergeFrom(node.Attribute[0].S.Span);
            }
        }
    }

    /// <summary>Whether an attribute holds numbers and texts only.</summary>
    public static bool IsPlain(AttributeProto attribute)
        => attribute is { T: null, G: null, SparseTensor: null, Tensors.Count: 0, SparseTensors.Count: 0, Graphs.Count: 0 };
}
