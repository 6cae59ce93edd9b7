using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Structure;

/// <summary>A residual block, or a layer of equal input and output, that the identity can take the place of.</summary>
/// <param name="Name">Name of the node that ends it.</param>
/// <param name="From">The tensor that goes on in its place.</param>
/// <param name="To">The tensor it produces.</param>
/// <param name="Parameters">What is read by nothing else once it is gone.</param>
/// <param name="IsExact">Whether removing it computes what zeroing its parameters computes: y = x + f(x) with f = 0.</param>
internal sealed record Block(string Name, string From, string To, ImmutableArray<string> Parameters, bool IsExact);

/// <summary>Finds and removes blocks.</summary>
internal static class BlockRemoval
{
    /// <summary>The blocks of a network in the order of the graph; a block within another is listed by itself.</summary>
    /// <param name="network">The network.</param>
    /// <param name="layers">Whether layers of equal input and output shape count, beside sums of a tensor and what is computed from it.</param>
    public static IReadOnlyList<Block> Find(Network network, bool layers)
    {
        var blocks = new List<Block>();
        foreach (var node in network.Nodes.Where(node => node.Domain.Length == 0))
        {
            if (node.Operator == "Add" && network.Tensors.TryGetValue(node.Inputs[0], out var a) && network.Tensors.TryGetValue(node.Inputs[1], out var b)
                && a.IsKnown && b.IsKnown && a.Shape.SequenceEqual(b.Shape))
            {
                var skip = DependsOn(network, node.Inputs[1], node.Inputs[0]) ? node.Inputs[0] : DependsOn(network, node.Inputs[0], node.Inputs[1])
                    ? node.Inputs[1] : null;
                Consider(node, skip, true);
            }
            else if (layers && network.Layers.First(layer => layer.Node == node).Weights.Length > 0 && network.Tensors.TryGetValue(node.Inputs[0], out var x)
                && x.IsKnown && network.Tensors[node.Outputs[0]] is { IsKnown: true } y && x.Shape.SequenceEqual(y.Shape)
                && node.Outputs.Count(output => output.Length > 0) == 1)
            {
                Consider(node, x.Name, false);
            }
        }

        return blocks;

        void Consider(Node node, string? from, bool exact)
        {
            if (from is null)
            {
                return;
            }

            var left = Bypass(network.Parts, [(from, node.Outputs[0])]);
            var names = left.Parameters.Select(parameter => parameter.Name).ToHashSet();
            var gone = network.Parameters.Select(parameter => parameter.Name).Where(name => !names.Contains(name)).ToImmutableArray();
            if (gone.Any(name => network[name].Trainable))
            {
                blocks.Add(new(node.Name, from, node.Outputs[0], gone, exact));
            }
        }
    }

    /// <summary>The blocks of the dense network, those that went included: their names, and whether each is residual.</summary>
    public static SortedDictionary<string, bool> Dense(Network network)
        => DenseMetadata.Of(network).Blocks ?? new(Find(network, layers: true).ToDictionary(block => block.Name, block => block.IsExact),
            StringComparer.Ordinal);

    /// <summary>The network without blocks.</summary>
    public static Network Remove(Network network, IEnumerable<Block> blocks)
    {
        var list = blocks.ToArray();
        var dense = DenseMetadata.Of(network) with { Blocks = Dense(network) };
        var graph = Bypass(network.Parts, [.. list.Select(block => (block.From, block.To))]);
        var kept = list.SelectMany(block => block.Parameters.Select(name => (Name: name, block.IsExact))).DistinctBy(pair => pair.Name)
            .Where(pair => network[pair.Name].Shape.Length > 0).ToArray();
        return new Network(graph with
        {
            AsRead = false,
            Metadata = KeptMetadata.Compose(dense.AddTo(network.Graph.Metadata), network,
                kept.ToImmutableDictionary(pair => pair.Name, _ => (IReadOnlyDictionary<int, int[]>)new Dictionary<int, int[]> { [0] = [] }),
                [.. kept.Where(pair => !pair.IsExact).Select(pair => pair.Name)]),
        });
    }

    private static bool DependsOn(Network network, string tensor, string on)
    {
        var (seen, open) = (new HashSet<string>(), new Stack<string>([tensor]));
        while (open.TryPop(out var next))
        {
            if (next == on)
            {
                return true;
            }

            foreach (var input in network.Producer(next) is { } node ? node.Inputs.Concat(node.Captured) : [])
            {
                if (seen.Add(input))
                {
                    open.Push(input);
                }
            }
        }

        return false;
    }

    private static NetworkParts Bypass(NetworkParts graph, (string From, string To)[] bypassed)
    {
        var renamed = bypassed.ToDictionary(pair => pair.To, pair => pair.From);
        string Now(string name)
        {
            while (renamed.TryGetValue(name, out var from))
            {
                name = from;
            }

            return name;
        }

        return (graph with
        {
            Nodes = [.. graph.Nodes.Select(node => node.Outputs.Any(renamed.ContainsKey) && node.Outputs.Any(graph.Outputs.Contains)
                ? node.AsOperator("Identity", [Now(node.Outputs[0])]).WithOnly()
                : node.WithInputs(node.Inputs.Select(Now)))],
        }).Needed();
    }
}
