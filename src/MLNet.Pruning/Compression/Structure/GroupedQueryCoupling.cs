namespace MLNet.Pruning;

/// <summary>
/// GroupQueryAttention of com.microsoft, which is carried: a head of keys and values goes with the queries that share it. Where the keys and values
/// of earlier steps come in or go out, they are dimensions of the network's inputs and outputs, and all heads stay.
/// </summary>
internal static class GroupedQueryCoupling
{
    private const int PastValues = CarriedShapes.PastKeys + 1;

    /// <summary>The first of the operands that newer versions add by head or position.</summary>
    private const int FirstOther = 9;

    public static bool Follows(Coupling coupling, Node node) => CarriedShapes.IsGroupedQueries(node) && coupling.Options.WholeHeads && node.Input(CarriedShapes.PastKeys) is null && node.Input(PastValues) is null
        && Enumerable.Range(FirstOther, Math.Max(0, node.Inputs.Length - FirstOther)).All(i => node.Input(i) is null)
        && node.Outputs.Skip(1).All(output => coupling.Consumers(output).Count == 0 && !coupling.Network.Graph.Outputs.Contains(output))
        && Enumerable.Range(0, 3).All(i => node.Input(i) is { } name && coupling.Info(name) is { IsKnown: true, Shape: [_, _, > 0] });

    public static StructuredValue[] Couple(Coupling coupling, Node node)
    {
        var (groups, queries) = ((int)node.Int("kv_num_heads", 1), coupling.Input(node, 0));
        var (keys, values) = (coupling.Input(node, 1), coupling.Input(node, 2));
        Axis Heads(StructuredValue value, int input) => coupling.Factor(value.Axes[2], 1, groups, coupling.Info(node.Inputs[input]).Shape[2] / groups);
        var output = Heads(queries, 0);
        foreach (var other in new[] { Heads(keys, 1), Heads(values, 2) })
        {
            // Of as many groups, each of another width.
            coupling.Tie(output, other.IsLive ? other with { Inner = output.Inner } : other);
        }

        if (output.Classes is { } classes)
        {
            coupling.MarkHeads(classes);
        }

        return [new([queries.Axes[0], queries.Axes[1], output], values.Zero)];
    }
}
