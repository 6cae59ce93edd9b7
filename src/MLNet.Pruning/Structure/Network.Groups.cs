using MLNet.Pruning.Messages;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

public sealed partial class Network
{
    /// <summary>
    /// The groups of indices that have to go together: neurons, channels, heads and hidden units with all that makes and reads them. What
    /// cannot shrink says why in <see cref="NetworkStructure.Reasons"/>.
    /// </summary>
    /// <param name="options">How to read what can be read in two ways; default <see cref="StructureOptions"/>.</param>
    public NetworkStructure Groups(StructureOptions? options = null) => new(this, options ?? new());

    /// <summary>
    /// The network without some of its groups: smaller, and computing what it computes with the same groups at zero, to float rounding.
    /// </summary>
    /// <param name="groups">Groups of this network's <see cref="Groups"/>.</param>
    /// <exception cref="ArgumentException">A group is of another network, or nothing would be left of a layer.</exception>
    public Network Remove(IEnumerable<PruningGroup> groups)
    {
        var list = Setting.Complete(groups);
        return list.Count == 0 ? this : StructureSurgery.Of(this, list).Remove(this);
    }

    /// <summary>The network of the same size with some of its groups at zero.</summary>
    /// <param name="groups">Groups of this network's <see cref="Groups"/>.</param>
    /// <exception cref="ArgumentException">A group is of another network, or nothing would be left of a layer.</exception>
    public Network Mask(IEnumerable<PruningGroup> groups)
    {
        var list = Setting.Complete(groups);
        return list.Count == 0 ? this : StructureSurgery.Of(this, list).Mask(this);
    }

    /// <summary>What goes with a group and why, a line for each member.</summary>
    /// <param name="group">A group of this network's <see cref="Groups"/>.</param>
    public string Explain(PruningGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        return group.ToString();
    }
}
