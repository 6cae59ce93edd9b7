using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure;

/// <summary>
/// GroupQueryAttention of com.microsoft, which is carried: a head of keys and values goes with the queries that share it. Where the keys and values
/// of earlier steps come in or go out, their heads are a dimension of those tensors and stay; then one head of queries goes of each group that shares
/// keys and values, so that all groups keep the same number.
/// </summary>
internal static class GroupedQueryCoupling
{
    private const int Keys = 1;
    private const int Values = 2;
    private const int PastValues = CarriedShapes.PastKeys + 1;
    private const int Bias = 10;

    /// <summary>The first of the operands by head: sinks, and scales of stored keys and values.</summary>
    private const int FirstByHead = 11;

    /// <summary>The output that holds the products of queries and keys.</summary>
    private const int Products = 3;

    public static StructuredValue[] Couple(Coupling coupling, Node node)
    {
        if (Refusal(coupling, node) is { } refusal)
        {
            return coupling.Opaque(node, $"node '{node.Name}' ({node.Operator}) reads it, {refusal}");
        }

        var (heads, groups) = ((int)node.Int("num_heads", 1), (int)node.Int("kv_num_heads", 1));
        var (queries, keys, values, size) = Operands(coupling, node, heads, groups);
        var kept = Kept(coupling, node);
        Axis output;
        var zero = false;
        if (groups > 1 && kept is null)
        {
            output = coupling.Factor(queries, 1, groups, heads / groups * size);
            // Of zeros every mean is zero.
            zero = coupling.Input(node, node.Input(Keys) is null ? 0 : Values).Zero;
            foreach (var other in new[] { coupling.Factor(keys, 1, groups, size), coupling.Factor(values, 1, groups, size) })
            {
                // Of as many groups, each of another width.
                coupling.Tie(output, other.IsLive ? other with { Inner = output.Inner } : other);
            }
        }
        else
        {
            var reason = kept ?? $"node '{node.Name}' ({node.Operator}) has one head of keys and values, which all queries share";
            coupling.Fix(keys, reason);
            coupling.Fix(values, reason);
            output = coupling.Factor(queries, groups, heads / groups, size);
            if (heads == groups)
            {
                coupling.Fix(output, reason);
            }
        }

        if (output.Classes is { } classes)
        {
            coupling.MarkHeads(classes);
        }

        var x = coupling.Input(node, 0);
        var others = node.Outputs.Skip(1).Select(name => name.Length == 0 ? new StructuredValue([], false)
            : Coupling.Inert(coupling.Info(name), Coupling.Positions.Reason));
        return [new([x.Axes[0], x.Axes[1], output], zero), .. others];
    }

    /// <summary>The numbers of heads after a removal.</summary>
    /// <param name="node">The node.</param>
    /// <param name="shape">Shape of a tensor before the removal.</param>
    /// <param name="left">The same after it.</param>
    public static Node Rewrite(Node node, Func<string, IReadOnlyList<int>> shape, Func<string, IReadOnlyList<int>> left)
    {
        var size = shape(node.Outputs[0])[2] / (int)node.Int("num_heads", 1);
        var heads = left(node.Outputs[0])[2] / size;
        var shared = node.Input(Keys) is { } keys ? left(keys)[2] / size : (left(node.Inputs[0])[2] / size - heads) / 2;
        return node.With("num_heads", (long)heads).With("kv_num_heads", (long)shared);
    }

    /// <summary>Why nothing of the node can go; null where something may.</summary>
    private static string? Refusal(Coupling coupling, Node node)
    {
        var (heads, groups) = (node.Int("num_heads", 0), node.Int("kv_num_heads", 0));
        if (!coupling.Options.WholeHeads)
        {
            return "whose heads go as a whole only";
        }

        var isPacked = node.Input(Keys) is null && node.Input(Values) is null;
        if (heads <= 0 || groups <= 0 || heads % groups != 0 || coupling.Info(node.Outputs[0]) is not { IsKnown: true, Shape: [_, _, > 0 and var width] }
            || width % heads != 0
            || !node.Inputs.Take(isPacked ? 1 : 3).All(name => name.Length > 0 && coupling.Info(name) is { IsKnown: true, Shape: [_, _, > 0] }))
        {
            return $"the width of whose {heads} heads of queries and {groups} of keys and values is not known";
        }

        if (node.Inputs.Skip(FirstByHead).FirstOrDefault(name => name.Length > 0) is { } sink)
        {
            return $"whose input '{sink}' holds a value for each head";
        }

        if (node.Input(Bias) is { } bias && coupling.Info(bias) is not { IsKnown: true, Shape: [_, 1, _, _] })
        {
            return $"whose input '{bias}' may differ from head to head";
        }

        return IsRead(coupling, node, Products) ? $"whose output '{node.Outputs[Products]}' holds products for each head" : null;
    }

    /// <summary>Queries, keys and values, each by heads of so many values; in one tensor where the node has one.</summary>
    private static (Axis Queries, Axis Keys, Axis Values, int Size) Operands(Coupling coupling, Node node, int heads, int groups)
    {
        var (first, size) = (coupling.Input(node, 0).Axes[2], coupling.Info(node.Outputs[0]).Shape[2] / heads);
        if (node.Input(Keys) is not null)
        {
            return (first, coupling.Input(node, Keys).Axes[2], coupling.Input(node, Values).Axes[2], size);
        }

        if (first.PerIndex() is not { } all)
        {
            return (first, first, first, size);
        }

        var (queries, keys) = (heads * size, groups * size);
        return (new(all[..queries]), new(all[queries..(queries + keys)]), new(all[(queries + keys)..]), size);
    }

    /// <summary>Why heads of keys and values stay, with the tensors whose dimension they are; null where they can go.</summary>
    private static string? Kept(Coupling coupling, Node node)
    {
        string[] read = [.. new[] { CarriedShapes.PastKeys, PastValues }.Select(node.Input).OfType<string>().Select(name => Describe(coupling, name, "input"))];
        string[] written = [.. new[] { 1, 2 }.Where(i => IsRead(coupling, node, i)).Select(i => Describe(coupling, node.Outputs[i], "output"))];
        string[] all = [.. read, .. written];
        return all.Length == 0 ? null
            : $"its heads are a dimension of {string.Join(all.Length == 2 ? " and " : ", ", all)}, the keys and values that node '{node.Name}' "
                + $"({node.Operator}) keeps from step to step";
    }

    private static string Describe(Coupling coupling, string name, string side)
    {
        var isOfNetwork = side == "input" ? coupling.Graph.Inputs.Any(input => input.Name == name) : coupling.Graph.Outputs.Contains(name);
        var shape = coupling.Info(name) is { IsKnown: true } info ? $" ({TensorInfo.Dimensions(info.Shape)})" : "";
        return $"{(isOfNetwork ? $"the network's {side}" : "the tensor")} '{name}'{shape}";
    }

    private static bool IsRead(Coupling coupling, Node node, int output)
        => output < node.Outputs.Length && node.Outputs[output] is { Length: > 0 } name
            && (coupling.Graph.Consumers(name).Any() || coupling.Graph.Outputs.Contains(name));
}
