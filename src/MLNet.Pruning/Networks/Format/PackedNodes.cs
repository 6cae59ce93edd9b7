using System.Collections;
using Google.Protobuf;

namespace MLNet.Pruning.Networks.Format;

/// <summary>
/// The nodes of a long graph as the bytes they are in a file, which take a twentieth of the objects. Those that hold graphs or much data stay as they are:
/// their values are shared with what was read, or have still to be read in.
/// </summary>
internal sealed class PackedNodes
{
    /// <summary>So that the bytes of a run are no large object, which is collected late.</summary>
    private const int MostInARun = 1000;

    /// <summary>Bytes of the longest node that is packed with tensors in its attributes.</summary>
    private const int LongestWithTensors = 1024;

    // Told from what a file says by its place in memory, which a copy of the node keeps.
    private static readonly string s_packed = new(['p', 'a', 'c', 'k', 'e', 'd']);

    private readonly List<NodeProto> _kept = [];
    private readonly MemoryStream _run = new();
    private int _inRun;

    /// <summary>The nodes of a graph, packed or not; one that is packed is made anew whenever it is requested.</summary>
    public static IReadOnlyList<NodeProto> Of(GraphProto graph) => graph.Node.Any(IsPacked) ? new Unpacked(graph) : graph.Node;

    /// <summary>Whether a graph of so many nodes is long: objects of fewer take less than the time to write them, and the code for it, is worth.</summary>
    public static bool IsLong(int nodes) => nodes > MostInARun;

    /// <summary>Puts one node, with the bytes in its one attribute, in the place of those that follow each other in a long graph.</summary>
    public static void Pack(GraphProto graph)
    {
        if (!IsLong(graph.Node.Count) && !graph.Node.Any(IsPacked))
        {
            return;
        }

        var packed = new PackedNodes();
        foreach (var node in graph.Node)
        {
            packed.Add(node);
        }

        graph.Node.Clear();
        packed.AddTo(graph);
    }

    /// <summary>Puts the nodes back.</summary>
    public static void Unpack(GraphProto graph)
    {
        NodeProto[] nodes = [.. Of(graph)];
        graph.Node.Clear();
        graph.Node.AddRange(nodes);
    }

    /// <summary>Whether an attribute holds numbers and texts only.</summary>
    public static bool IsPlain(AttributeProto attribute)
        => attribute is { T: null, G: null, SparseTensor: null, Tensors.Count: 0, SparseTensors.Count: 0, Graphs.Count: 0 };

    /// <param name="node">The next node; may be packed already.</param>
    /// <param name="field">Its bytes as a field of its graph; empty to have them written.</param>
    /// <returns>Whether it is packed.</returns>
    public bool Add(NodeProto node, ReadOnlySpan<byte> field = default)
    {
        if (IsPacked(node) || !IsPackable(node))
        {
            End();
            _kept.Add(node);
            return false;
        }

        if (field.IsEmpty)
        {
            new GraphProto { Node = { node } }.WriteTo(_run);
        }
        else
        {
            _run.Write(field);
        }

        if (++_inRun == MostInARun)
        {
            End();
        }

        return true;
    }

    /// <summary>Gives a graph all that was added.</summary>
    public void AddTo(GraphProto graph)
    {
        End();
        graph.Node.AddRange(_kept);
        graph.Node.Capacity = graph.Node.Count;
    }

    private void End()
    {
        if (_inRun > 0)
        {
            _kept.Add(new NodeProto { Domain = s_packed, Attribute = { new AttributeProto { I = _inRun, S = ByteString.CopyFrom(_run.ToArray()) } } });
            _inRun = 0;
            _run.SetLength(0);
        }
    }

    private static bool IsPacked(NodeProto node) => ReferenceEquals(node.Domain, s_packed);

    private static bool IsPackable(NodeProto node) => node.Attribute.All(IsPlain) || (node.Attribute.All(attribute => IsPlain(attribute)
        || attribute is { T: { } tensor, G: null, SparseTensor: null, Tensors.Count: 0, SparseTensors.Count: 0, Graphs.Count: 0 }
            && !OnnxTensorSize.IsExternal(tensor)) && node.CalculateSize() <= LongestWithTensors);

    private sealed class Unpacked : IReadOnlyList<NodeProto>
    {
        private readonly List<(NodeProto Node, int Start, int End)> _places;

        public Unpacked(GraphProto graph)
        {
            _places = new(graph.Node.Sum(node => IsPacked(node) ? (int)node.Attribute[0].I : 1));
            foreach (var node in graph.Node)
            {
                if (!IsPacked(node))
                {
                    _places.Add((node, 0, 0));
                    continue;
                }

                using var bytes = node.Attribute[0].S.CreateCodedInput();
                for (var start = 0; bytes.ReadTag() != 0; start = (int)bytes.Position)
                {
                    bytes.SkipLastField();
                    _places.Add((node, start, (int)bytes.Position));
                }
            }
        }

        public int Count => _places.Count;

        public NodeProto this[int index]
        {
            get
            {
                var (node, start, end) = _places[index];
                if (end == 0)
                {
                    return node;
                }

                var graph = new GraphProto();
                graph.MergeFrom(node.Attribute[0].S.Span[start..end]);
                return graph.Node[0];
            }
        }

        public IEnumerator<NodeProto> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
