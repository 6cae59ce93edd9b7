using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Names, attributes, tensors and order of a graph and of the subgraphs in its nodes.</summary>
/// <param name="file">Starts every message.</param>
/// <param name="folder">The folder to which external data is relative; null if there is none.</param>
internal sealed class OnnxGraphCheck(string file, string? folder)
{
    // Protobuf refuses messages nested more than 100 deep, and a subgraph is three: files never come here, graphs made in
    // memory could, and would overflow the stack.
    private const int MaximumDepth = 32;

    // The names of each graph around the one being checked, the outermost first.
    private readonly List<HashSet<string>> _scopes = [];

    private long _unbacked;

    /// <summary>Checks the graph and all that it contains.</summary>
    public void Run(GraphProto graph)
    {
        var place = $"{file}: graph '{graph.Name}'";
        if (_scopes.Count >= MaximumDepth)
        {
            throw new OnnxFormatException($"{place} is a subgraph more than {MaximumDepth} deep.");
        }

        var names = Names(graph, place);
        _scopes.Add(names);
        CheckReads(graph, place);
        foreach (var info in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo))
        {
            CheckShape(info, place);
        }

        foreach (var tensor in graph.Initializer)
        {
            OnnxTensorSize.Check(tensor, folder, $"{place}, initializer '{tensor.Name}'");
        }

        foreach (var tensor in graph.SparseInitializer)
        {
            CheckSparse(tensor, $"{place}, sparse initializer '{tensor.Values?.Name}'");
        }

        foreach (var node in PackedNodes.Of(graph))
        {
            CheckAttributes(node, $"{place}, node {OnnxGraphOrder.Describe(node)}");
        }

        _scopes.RemoveAt(_scopes.Count - 1);
        OnnxGraphOrder.Sort(graph, place);
    }

    /// <summary>Every name that the graph itself defines, each once; an input may have an initializer as its default.</summary>
    private static HashSet<string> Names(GraphProto graph, string place)
    {
        var inputs = Distinct(graph.Input.Select(input => input.Name), place, "input");
        var initializers = Distinct(graph.Initializer.Select(tensor => tensor.Name)
            .Concat(graph.SparseInitializer.Select(tensor => tensor.Values?.Name ?? "")), place, "initializer");
        var nodes = PackedNodes.Of(graph);
        var names = new HashSet<string>(inputs.Count + initializers.Count + nodes.Count);
        names.UnionWith(inputs);
        names.UnionWith(initializers);
        foreach (var node in nodes)
        {
            foreach (var output in node.Output)
            {
                if (output.Length > 0 && !names.Add(output))
                {
                    throw new OnnxFormatException($"{place}, node {OnnxGraphOrder.Describe(node)} writes '{output}', which is written elsewhere or is an "
                        + "input or initializer; expected a name of its own.");
                }
            }
        }

        return names;
    }

    private static HashSet<string> Distinct(IEnumerable<string> names, string place, string kind)
    {
        var distinct = new HashSet<string>();
        foreach (var name in names)
        {
            if (name.Length == 0)
            {
                throw new OnnxFormatException($"{place} has an {kind} without a name.");
            }

            if (!distinct.Add(name))
            {
                throw new OnnxFormatException($"{place} has the {kind} '{name}' twice.");
            }
        }

        return distinct;
    }

    private void CheckReads(GraphProto graph, string place)
    {
        foreach (var node in PackedNodes.Of(graph))
        {
            foreach (var input in node.Input)
            {
                // An input left out has an empty name.
                if (input.Length > 0 && !IsDefined(input))
                {
                    throw new OnnxFormatException($"{place}, node {OnnxGraphOrder.Describe(node)} reads '{input}', which nothing writes.");
                }
            }
        }

        foreach (var output in Distinct(graph.Output.Select(output => output.Name), place, "output"))
        {
            if (!IsDefined(output))
            {
                throw new OnnxFormatException($"{place} has the output '{output}', which nothing writes.");
            }
        }
    }

    private bool IsDefined(string name) => _scopes.Exists(scope => scope.Contains(name));

    private static void CheckShape(ValueInfoProto info, string place)
    {
        if (info.Type?.TensorType?.Shape?.Dim.Count > OnnxTensorSize.MostDimensions)
        {
            throw new OnnxFormatException($"{place}, value '{info.Name}' has {info.Type.TensorType.Shape.Dim.Count} dimensions; expected at most "
                + $"{OnnxTensorSize.MostDimensions}.");
        }

        foreach (var dimension in info.Type?.TensorType?.Shape?.Dim ?? [])
        {
            // Some exporters write -1 for a size that is not known.
            if (dimension.DimValue is < -1 or > int.MaxValue)
            {
                throw new OnnxFormatException($"{place}, value '{info.Name}' has a dimension of size {dimension.DimValue}; expected 0 to {int.MaxValue}.");
            }
        }
    }

    private void CheckSparse(SparseTensorProto tensor, string place)
    {
        _unbacked += OnnxTensor.CheckSparse(tensor, folder, place);
        if (_unbacked > OnnxTensor.MaximumUnbacked)
        {
            throw new OnnxFormatException($"{place} and those before it stand for {_unbacked} more zeros than a thousand a value; expected at most "
                + $"{OnnxTensor.MaximumUnbacked}.");
        }
    }

    private void CheckAttributes(NodeProto node, string place)
    {
        if (node.OpType.Length == 0)
        {
            throw new OnnxFormatException($"{place} has no operator.");
        }

        OnnxNodeCheck.Run(node, place);
        var names = new HashSet<string>();
        foreach (var attribute in node.Attribute)
        {
            if (!names.Add(attribute.Name))
            {
                throw new OnnxFormatException($"{place} has the attribute '{attribute.Name}' twice.");
            }

            var where = $"{place}, attribute '{attribute.Name}'";
            OnnxAttributeCheck.Run(attribute, where);
            foreach (var tensor in attribute.Tensors.Concat(attribute.T is { } single ? [single] : []))
            {
                OnnxTensorSize.Check(tensor, folder, where);
            }

            foreach (var tensor in attribute.SparseTensors.Concat(attribute.SparseTensor is { } sparse ? [sparse] : []))
            {
                CheckSparse(tensor, where);
            }

            foreach (var graph in OnnxGraphOrder.Subgraphs(attribute))
            {
                Run(graph);
            }
        }
    }
}
