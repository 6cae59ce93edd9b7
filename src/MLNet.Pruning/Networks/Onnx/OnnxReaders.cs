using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>How many nodes of a graph read each name, itself or under that of an Identity.</summary>
internal static class OnnxReaders
{
    public static Dictionary<string, int> Count(GraphProto graph)
    {
        var nodes = PackedNodes.Of(graph);
        var sources = nodes.Where(node => node is { OpType: "Identity", Input.Count: 1, Output.Count: 1 }).DistinctBy(node => node.Output[0])
            .ToDictionary(node => node.Output[0], node => node.Input[0]);
        string Source(string name)
        {
            var source = name;
            while (sources.TryGetValue(source, out var next))
            {
                source = next;
            }

            // The next that asks for one on the way is there in one step: a chain that many read would take quadratic time.
            while (sources.TryGetValue(name, out var next) && next != source)
            {
                sources[name] = source;
                name = next;
            }

            return source;
        }

        var readers = new Dictionary<string, int>(nodes.Count);
        foreach (var name in nodes.Where(node => node.OpType != "Identity")
            .SelectMany(node => node.Input.Concat(SubgraphCaptures.Of(node)).Select(Source).Distinct()))
        {
            readers[name] = readers.GetValueOrDefault(name) + 1;
        }

        return readers;
    }
}
