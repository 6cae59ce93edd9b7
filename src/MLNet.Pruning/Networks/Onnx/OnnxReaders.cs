using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>How many nodes of a graph read each name, itself or under that of an Identity.</summary>
internal static class OnnxReaders
{
    public static Dictionary<string, int> Count(GraphProto graph)
    {
        var sources = graph.Node.Where(node => node is { OpType: "Identity", Input.Count: 1, Output.Count: 1 }).DistinctBy(node => node.Output[0])
            .ToDictionary(node => node.Output[0], node => node.Input[0]);
        string Source(string name)
        {
            for (var steps = 0; steps < sources.Count && sources.TryGetValue(name, out var source); steps++)
            {
                name = source;
            }

            return name;
        }

        var readers = new Dictionary<string, int>(graph.Node.Count);
        foreach (var name in graph.Node.Where(node => node.OpType != "Identity")
            .SelectMany(node => node.Input.Concat(SubgraphCaptures.Of(node)).Select(Source).Distinct()))
        {
            readers[name] = readers.GetValueOrDefault(name) + 1;
        }

        return readers;
    }
}
