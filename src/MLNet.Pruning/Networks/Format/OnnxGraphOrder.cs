namespace MLNet.Pruning.Networks.Format;

/// <summary>An order of a graph's nodes in which each comes after all that it reads.</summary>
internal static class OnnxGraphOrder
{
    /// <summary>The nodes in the order of the file as far as possible; sorted ones stay as they are.</summary>
    /// <param name="graph">The graph; what its nodes' subgraphs read from it counts as read by the nodes.</param>
    /// <param name="place">Starts the message.</param>
    /// <exception cref="OnnxFormatException">The graph has a cycle; the message names the nodes on it.</exception>
    public static IEnumerable<NodeProto> Sort(GraphProto graph, string place)
    {
        var nodes = PackedNodes.Of(graph);
        return Order(nodes, place)?.Select(i => nodes[i]) ?? nodes;
    }

    /// <returns>The places of the nodes in that order; null for their own.</returns>
    private static List<int>? Order(IReadOnlyList<NodeProto> nodes, string place)
    {
        var writers = new Dictionary<string, int>(nodes.Count);
        foreach (var (i, node) in nodes.Index())
        {
            foreach (var output in node.Output)
            {
                writers[output] = i;
            }
        }

        writers.Remove("");
        if (nodes.Index().All(node => Reads(node.Item).All(name => !writers.TryGetValue(name, out var writer) || writer < node.Index)))
        {
            return null;
        }

        var sources = nodes.Select(node => Reads(node).Where(writers.ContainsKey).Select(name => writers[name]).Distinct().ToArray()).ToArray();
        var (first, readers) = Readers(sources);
        var waiting = sources.Select(of => of.Length).ToArray();
        var ready = new PriorityQueue<int, int>(Enumerable.Range(0, waiting.Length).Where(node => waiting[node] == 0).Select(node => (node, node)));
        var order = new List<int>(sources.Length);
        while (ready.TryDequeue(out var next, out _))
        {
            order.Add(next);
            foreach (var reader in readers.AsSpan(first[next]..first[next + 1]))
            {
                if (--waiting[reader] == 0)
                {
                    ready.Enqueue(reader, reader);
                }
            }
        }

        return order.Count == sources.Length ? order
            : throw new OnnxFormatException($"{place} has a cycle: {string.Join(" -> ", Cycle(sources, waiting).Select(node => Describe(nodes[node])))}; "
                + "expected nodes that read only what comes before them.");
    }

    /// <summary>
    /// The readers of all nodes in one row, those of node i from its first to that of the next: a list for each would take ten times the room.
    /// </summary>
    private static (int[] First, int[] Readers) Readers(int[][] sources)
    {
        var first = new int[sources.Length + 1];
        foreach (var source in sources.SelectMany(of => of))
        {
            first[source + 1]++;
        }

        for (var i = 0; i < sources.Length; i++)
        {
            first[i + 1] += first[i];
        }

        var (readers, next) = (new int[first[^1]], first[..^1]);
        for (var node = 0; node < sources.Length; node++)
        {
            foreach (var source in sources[node])
            {
                readers[next[source]++] = node;
            }
        }

        return (first, readers);
    }

    /// <summary>"'conv1' (Conv)", or by what it writes if it has no name.</summary>
    public static string Describe(NodeProto node) => $"'{(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(""))}' ({node.OpType})";

    /// <summary>The graphs that an attribute holds.</summary>
    public static IEnumerable<GraphProto> Subgraphs(AttributeProto attribute) => attribute.Graphs.Concat(attribute.G is { } graph ? [graph] : []);

    /// <summary>What a node reads from its graph, itself and through its subgraphs.</summary>
    private static IEnumerable<string> Reads(NodeProto node) => node.Input.Concat(SubgraphCaptures.Of(node));

    /// <summary>A cycle among the nodes that still wait, each before the one that reads it, closed by its first.</summary>
    private static List<int> Cycle(int[][] sources, int[] waiting)
    {
        var path = new List<int>();
        var places = new Dictionary<int, int>();
        var node = Array.FindIndex(waiting, count => count > 0);
        // Every waiting node waits for another one, so that the walk must come back to where it was.
        while (places.TryAdd(node, path.Count))
        {
            path.Add(node);
            node = sources[node].First(source => waiting[source] > 0);
        }

        path.RemoveRange(0, places[node]);
        path.Add(node);
        path.Reverse();
        return path;
    }
}
