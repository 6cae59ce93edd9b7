using Google.Protobuf.Collections;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Operators;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Moves the weights of the branches and bodies of If, Loop and Scan out to the graph around them, which a subgraph may read, so that they are
/// counted, pruned and trained like all other weights. What only rearranges weights goes with them, such as the gates of a recurrent layer that
/// an exporter puts in order within a branch.
/// </summary>
internal sealed class SubgraphWeights
{
    private readonly GraphProto _graph;
    private readonly Dictionary<GraphProto, Moved> _moved = new(ReferenceEqualityComparer.Instance);
    private readonly List<NodeProto> _nodes = [];
    private readonly Dictionary<TensorProto, string> _constants = [];
    private readonly Dictionary<NodeProto, NodeProto> _made = [];

    private SubgraphWeights(GraphProto graph) => _graph = graph;

    public static void MoveOut(GraphProto graph)
    {
        var weights = new SubgraphWeights(graph);
        weights.Take(graph.Node, [.. graph.Initializer.Where(IsWeight).Select(tensor => tensor.Name)]);
        if (weights._moved.Values.Any(moved => moved.Tensors.Count + moved.Nodes.Count > 0))
        {
            weights.Put(graph.Node, [], new UniqueNames(OnnxNames.Of(graph)));
            NodeProto[] all = [.. weights._nodes, .. graph.Node];
            graph.Node.Clear();
            graph.Node.AddRange(all);
        }
    }

    /// <summary>Takes what is constant out of all subgraphs of some nodes.</summary>
    private void Take(IEnumerable<NodeProto> nodes, HashSet<string> around)
    {
        foreach (var graph in nodes.SelectMany(node => node.Attribute).SelectMany(OnnxGraphOrder.Subgraphs))
        {
            var known = around.ToHashSet();
            known.ExceptWith(graph.Node.SelectMany(node => node.Output).Concat(graph.Input.Select(info => info.Name)));
            var moved = _moved[graph] = Take(graph, known);
            known.UnionWith(moved.Names);
            Take(graph.Node, known);
        }
    }

    private static Moved Take(GraphProto graph, HashSet<string> known)
    {
        // An input may have an initializer as its default, and what a subgraph gives has to be its own.
        var own = graph.Input.Concat(graph.Output).Select(info => info.Name).ToHashSet();
        var weights = Take(graph.Initializer, tensor => IsWeight(tensor) && !own.Contains(tensor.Name)).ToList();
        weights.AddRange(Take(graph.Node, node => IsConstant(node) && node.Attribute is [{ T: { } tensor }] && IsWeight(tensor)
            && !own.Contains(node.Output[0]))
            .Select(node => new TensorProto(node.Attribute[0].T) { Name = node.Output[0] }));
        known = [.. known, .. weights.Select(tensor => tensor.Name)];

        var constants = graph.Initializer.Select(tensor => tensor.Name).Concat(graph.Node.Where(IsConstant).Select(node => node.Output[0]))
            .Where(name => !own.Contains(name)).ToHashSet();
        var (nodes, needed) = (new List<NodeProto>(), new HashSet<string>());
        foreach (var node in OnnxGraphOrder.Sort(graph, graph.Name))
        {
            if (OperatorCatalogue.Find(node.OpType)?.Values is Values.Shown or Values.Picked && node.Input.Any(known.Contains)
                && node.Input.All(input => input.Length == 0 || known.Contains(input) || constants.Contains(input))
                && !node.Output.Any(own.Contains))
            {
                nodes.Add(node);
                needed.UnionWith(node.Input.Where(constants.Contains));
                known.UnionWith(node.Output);
            }
        }

        var gone = nodes.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        Take(graph.Node, gone.Contains);
        var numbers = Take(graph.Node, node => IsConstant(node) && needed.Contains(node.Output[0]));
        return new([.. weights, .. Take(graph.Initializer, tensor => needed.Contains(tensor.Name))], [.. numbers, .. nodes]);
    }

    private static bool IsConstant(NodeProto node) => node is { OpType: "Constant", Output.Count: 1 };

    /// <summary>Puts what was taken into the outermost graph under names of its own.</summary>
    private void Put(IEnumerable<NodeProto> nodes, Dictionary<string, string> around, UniqueNames names)
    {
        foreach (var node in nodes)
        {
            Rename(node.Input, around);
            foreach (var graph in node.Attribute.SelectMany(OnnxGraphOrder.Subgraphs))
            {
                // What a subgraph names itself hides what is of that name around it.
                var own = graph.Input.Select(info => info.Name).Concat(graph.Initializer.Select(tensor => tensor.Name))
                    .Concat(graph.Node.SelectMany(inner => inner.Output)).ToHashSet();
                var seen = around.Where(pair => !own.Contains(pair.Key)).ToDictionary();
                foreach (var tensor in _moved[graph].Tensors)
                {
                    Put(tensor, seen, names);
                }

                foreach (var moved in _moved[graph].Nodes)
                {
                    Put(moved, seen, names);
                }

                Put(graph.Node, seen, names);
                foreach (var output in graph.Output.Where(output => seen.ContainsKey(output.Name)))
                {
                    // A subgraph that gives a weight of one around it as it is.
                    var given = names.Next(output.Name);
                    graph.Node.Add(new NodeProto { OpType = "Identity", Name = given, Input = { seen[output.Name] }, Output = { given } });
                    output.Name = given;
                }
            }
        }
    }

    private void Put(TensorProto tensor, Dictionary<string, string> seen, UniqueNames names)
    {
        var nameless = new TensorProto(tensor);
        nameless.ClearName();
        if (!IsWeight(tensor) && _constants.TryGetValue(nameless, out var same))
        {
            seen[tensor.Name] = same;
            return;
        }

        var name = seen[tensor.Name] = names.Next(tensor.Name);
        _graph.Initializer.Add(new TensorProto(tensor) { Name = name });
        if (!IsWeight(tensor))
        {
            _constants[nameless] = name;
        }
    }

    /// <summary>Puts a node there, or takes the one that does the same for another branch: the weight that both read stays one.</summary>
    private void Put(NodeProto node, Dictionary<string, string> seen, UniqueNames names)
    {
        Rename(node.Input, seen);
        var nameless = new NodeProto { OpType = node.OpType, Domain = node.Domain, Input = { node.Input }, Attribute = { node.Attribute } };
        if (_made.TryGetValue(nameless, out var same) && same.Output.Count == node.Output.Count)
        {
            for (var i = 0; i < node.Output.Count; i++)
            {
                seen[node.Output[i]] = same.Output[i];
            }

            return;
        }

        foreach (var output in node.Output.Where(output => output.Length > 0))
        {
            seen[output] = names.Next(output);
        }

        Rename(node.Output, seen);
        _nodes.Add(node);
        _made[nameless] = node;
    }

    private static void Rename(RepeatedField<string> list, Dictionary<string, string> names)
    {
        for (var i = 0; i < list.Count; i++)
        {
            list[i] = names.GetValueOrDefault(list[i], list[i]);
        }
    }

    private static IEnumerable<T> Take<T>(RepeatedField<T> field, Func<T, bool> goes)
    {
        var parts = field.ToLookup(goes);
        field.Clear();
        field.AddRange(parts[false]);
        return parts[true];
    }

    private static bool IsWeight(TensorProto tensor) => (DataType)tensor.DataType is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double
        && OnnxTensorSize.Count(tensor.Dims, tensor.Name) > 1;

    /// <param name="Tensors">Weights, and constants that the nodes read.</param>
    /// <param name="Nodes">What rearranges them, in an order in which each comes after all that it reads.</param>
    private sealed record Moved(List<TensorProto> Tensors, List<NodeProto> Nodes)
    {
        public IEnumerable<string> Names => Tensors.Select(tensor => tensor.Name)
            .Concat(Nodes.SelectMany(node => node.Output).Where(output => output.Length > 0));
    }
}
