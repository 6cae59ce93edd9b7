using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// The groups of indices that have to go together: neurons, channels, heads and hidden units with all that makes and reads them. What
    /// cannot shrink says why in <see cref="NetworkStructure.Reasons"/>. Found once, when they are first requested, and the same for every network that differs
    /// from this one in weights only, such as the masked or the fine-tuned one.
    /// </summary>
    /// <param name="options">How to read what can be read in two ways; default <see cref="StructureOptions"/>.</param>
    public NetworkStructure Groups(StructureOptions? options = null)
    {
        // A power of zero is zero or infinite by the sign of its exponent. No other value of a parameter says what goes together.
        string[] exponents = [.. Nodes.Where(node => node is { Operator: "Pow", Domain: "" }).Select(node => node.Input(1)).OfType<string>().Distinct()
            .Where(name => Parameter(name) is not null)];
        var isPositive = Array.ConvertAll(exponents, name
            => this[name].IsInitialized && !this[name].Values.ContainsAnyExceptInRange(float.Epsilon, float.PositiveInfinity));
        options ??= new();
        return Graph.Once((options, string.Concat(isPositive.Select(positive => positive ? '+' : '?'))),
            () => new NetworkStructure(Graph, options, exponents.Where((_, i) => isPositive[i]).ToHashSet()));
    }

    /// <summary>
    /// The network without some of its groups: smaller, and computing what it computes with the same groups at zero, to float rounding.
    /// </summary>
    /// <param name="groups">Groups of this network's <see cref="Groups"/>.</param>
    /// <exception cref="ArgumentException">A group is of a network with another graph, or nothing would be left of a layer.</exception>
    public Network Remove(IEnumerable<PruningGroup> groups)
    {
        var list = Setting.Complete(groups);
        return list.Count == 0 ? this : StructureRemoval.Of(this, list).Remove(this);
    }

    /// <summary>The network of the same size with some of its groups at zero.</summary>
    /// <param name="groups">Groups of this network's <see cref="Groups"/>.</param>
    /// <exception cref="ArgumentException">A group is of a network with another graph, or nothing would be left of a layer.</exception>
    public Network Mask(IEnumerable<PruningGroup> groups)
    {
        var list = Setting.Complete(groups);
        return list.Count == 0 ? this : StructureRemoval.Of(this, list).Mask(this);
    }

    /// <summary>What goes with a group and why, a line for each member.</summary>
    /// <param name="group">A group of this network's <see cref="Groups"/>.</param>
    public string Explain(PruningGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        return group.ToString();
    }
}
