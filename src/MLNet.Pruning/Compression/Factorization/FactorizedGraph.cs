using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A network with several smaller layers in the place of some of its layers.</summary>
internal sealed class FactorizedGraph
{
    private readonly Network _network;
    private readonly UniqueNames _names;
    private readonly Dictionary<Node, Node[]> _nodes = [];
    private readonly Dictionary<string, List<Parameter>> _added = [];

    private FactorizedGraph(Network network)
    {
        _network = network;
        _names = new(network.Parameters.Select(parameter => parameter.Name).Concat(network.Graph.Constants.Select(constant => constant.Name))
            .Concat(network.Tensors.Keys).Concat(network.Nodes.Select(node => node.Name)));
    }

    /// <summary>The network, without values where the factors are not computed.</summary>
    /// <param name="network">The network.</param>
    /// <param name="layers">What is replaced.</param>
    /// <param name="nodes">Receives the nodes of each layer: for each node that it was, those in its place.</param>
    public static Network Write(Network network, IReadOnlyList<(RankedLayer Layer, ImmutableArray<int> Ranks, Factors? Factors)> layers,
        out IReadOnlyList<IReadOnlyList<Node[]>> nodes)
    {
        var graph = new FactorizedGraph(network);
        foreach (var (layer, ranks, factors) in layers)
        {
            graph.Replace(layer.Layer, layer.Decomposition, ranks, factors);
        }

        nodes = [.. layers.Select(layer => layer.Layer.Layer.Layers.Select(one => graph._nodes[one.Node]).ToArray())];
        return graph.ToNetwork();
    }

    private Network ToNetwork()
    {
        ImmutableArray<Node> nodes = [.. _network.Nodes.SelectMany(node => _nodes.GetValueOrDefault(node, [node]))];
        var read = nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).Concat(_network.Graph.Outputs).ToHashSet();
        var old = _nodes.Keys.SelectMany(node => node.Inputs).ToHashSet();
        return new Network(_network.Parts with
        {
            Nodes = nodes,
            // What the old layers alone read goes with them.
            Parameters = [.. _network.Parameters.SelectMany(parameter => _added.GetValueOrDefault(parameter.Name, []).Prepend(parameter))
                .Where(parameter => read.Contains(parameter.Name) || !old.Contains(parameter.Name))],
            AsRead = false,
        });
    }

    private void Replace(FactorizableLayer layer, Decomposition decomposition, ImmutableArray<int> ranks, Factors? factors)
    {
        var weight = layer.Weight;
        var stem = weight.Name.EndsWith(".weight", StringComparison.Ordinal) ? weight.Name[..^".weight".Length] : weight.Name;
        var added = _added[weight.Name] = [];
        string[] weights = [.. decomposition.Parts(layer.Node, ranks).Select((part, i) =>
        {
            var name = _names.Next($"{stem}.{i + 1}.weight");
            added.Add(new(name, part.Shape, factors?.Values[i], weight.Trainable, Initializer.KaimingUniform(Math.Max(1, part.Count / part.Shape[0])))
            {
                Type = weight.Type, Stored = weight.Stored,
            });
            return name;
        })];
        foreach (var node in layer.Layers.Select(one => one.Node))
        {
            var parts = decomposition.Parts(node, ranks);
            _nodes[node] = Chain(layer, node, parts, weights, decomposition.Shifts ? factors?.Shift ?? new double[layer.Matrix.Rows] : null, added);
        }
    }

    private Node[] Chain(FactorizableLayer layer, Node node, IReadOnlyList<LayerPart> parts, string[] weights, double[]? shift, List<Parameter> added)
    {
        var nodes = new List<Node>();
        var data = node.Inputs[parts[0].Operand == 0 ? 1 : 0];
        for (var i = 0; i < parts.Count; i++)
        {
            var (name, part) = (_names.Next($"{node.Name}.{i + 1}"), parts[i]);
            var output = i == parts.Count - 1 ? node.Outputs[0] : _names.Next($"{name}.out");
            string[] inputs = part.Operand == 0 ? [weights[i], data] : [data, weights[i]];
            nodes.Add(new(name, part.Operator, i == parts.Count - 1 && node.Operator is "Conv" or "Gemm" && node.Input(2) is { } bias
                ? [.. inputs, bias] : inputs, [output], part.Attributes));
            data = output;
        }

        if (shift is not null)
        {
            Shift(layer, node, nodes, parts[^1].Operand == 0, shift, added);
        }

        return [.. nodes];
    }

    /// <summary>Adds a constant to what the last of the nodes puts out: to its bias where it can have one.</summary>
    private void Shift(FactorizableLayer layer, Node node, List<Node> nodes, bool isLeft, double[] shift, List<Parameter> added)
    {
        var last = nodes[^1];
        var bias = last.Operator is "Conv" or "Gemm" ? last.Input(2) : null;
        var old = bias is null ? null : _network.Parameter(bias);
        if (last.Operator is "Conv" or "Gemm" && (bias is null || old is { IsInitialized: true } && old.Count == shift.Length && old.Type == TensorType.Float))
        {
            var beta = node.Float("beta", 1);
            var name = Add(last.Name + ".bias", [shift.Length], [.. shift.Select((value, i) => (float)(value + (old is null ? 0 : beta * old.Array[i])))]);
            nodes[^1] = last.WithInputs([last.Inputs[0], last.Inputs[1], name]).Without("beta");
            return;
        }

        var unshifted = _names.Next($"{last.Name}.out");
        ImmutableArray<int> shape = last.Operator == "Conv" ? [shift.Length, .. Enumerable.Repeat(1, layer.Weight.Shape.Length - 2)]
            : isLeft ? [shift.Length, 1] : [shift.Length];
        nodes[^1] = last.WithOutputs([unshifted]);
        nodes.Add(new(_names.Next($"{node.Name}.shift"), "Add", [unshifted, Add($"{node.Name}.shift.bias", shape, [.. shift.Select(value => (float)value)])],
            last.Outputs));

        string Add(string name, ImmutableArray<int> shape, float[] values)
        {
            var unique = _names.Next(name);
            var storage = GC.AllocateUninitializedArray<float>(values.Length, pinned: true);
            values.CopyTo(storage, 0);
            added.Add(new(unique, shape, storage, layer.Weight.Trainable, Initializer.Zero));
            return unique;
        }
    }
}
