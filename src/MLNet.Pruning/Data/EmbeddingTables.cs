using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Data;

/// <summary>Which ids an integer input takes: as many as the smallest table has rows that it is looked up in.</summary>
internal static class EmbeddingTables
{
    /// <summary>The smallest table that an input's values are looked up in, and its rows; null for none.</summary>
    public static (int Rows, string Table)? Range(Network network, string input)
    {
        var ids = new HashSet<string> { input };
        (int Rows, string Table)? smallest = null;
        foreach (var node in network.Nodes)
        {
            if (OperatorCatalogue.Find(node)?.Values is Values.Shown or Values.Picked && node.Input(0) is { } source && ids.Contains(source))
            {
                ids.UnionWith(node.Outputs);
            }
            else if (node is { Operator: "Gather", Domain: "" } && node.Int("axis", 0) == 0 && node.Input(1) is { } index && ids.Contains(index)
                && network.TryGetParameter(node.Inputs[0], out var table)
                && !(smallest?.Rows <= table.Shape[0]))
            {
                smallest = (table.Shape[0], table.Name);
            }
        }

        return smallest;
    }
}
