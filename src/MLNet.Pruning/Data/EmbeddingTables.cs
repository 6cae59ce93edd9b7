namespace MLNet.Pruning.Data;

/// <summary>Which ids an integer input takes: as many as the smallest table has rows that it is looked up in.</summary>
internal static class EmbeddingTables
{
    private static readonly HashSet<string> s_sameValues = ["Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Expand", "Slice", "Split"];

    /// <summary>The smallest table that an input's values are looked up in, and its rows; null for none.</summary>
    public static (int Rows, string Table)? Range(Network network, string input)
    {
        var ids = new HashSet<string> { input };
        (int Rows, string Table)? smallest = null;
        foreach (var node in network.Nodes.Where(node => node.Domain.Length == 0))
        {
            if (s_sameValues.Contains(node.Operator) && node.Input(0) is { } source && ids.Contains(source))
            {
                ids.UnionWith(node.Outputs);
            }
            else if (node.Operator == "Gather" && node.Int("axis", 0) == 0 && node.Input(1) is { } index && ids.Contains(index) && network.TryGetParameter(node.Inputs[0], out var table)
                && !(smallest?.Rows <= table.Shape[0]))
            {
                smallest = (table.Shape[0], table.Name);
            }
        }

        return smallest;
    }
}
