using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>
/// A network with masks over some of its parameters: what <c>torch.nn.utils.prune</c> calls a pruned module. Immutable. The weights
/// are copied, with zeros where they are dropped, only when <see cref="Network"/> is requested.
/// </summary>
public sealed partial class PrunedNetwork
{
    private readonly Network _weights;
    private readonly Lazy<Network> _network;

    /// <param name="weights">The network.</param>
    /// <param name="masks">What is held at zero in it.</param>
    /// <param name="checkpoints">Other weights of it by name, such as those to rewind to; they lose what it loses.</param>
    internal PrunedNetwork(Network weights, ImmutableDictionary<string, WeightMask> masks, ImmutableDictionary<string, Network>? checkpoints = null)
    {
        (_weights, Masks, Checkpoints) = (weights, masks, checkpoints ?? ImmutableDictionary<string, Network>.Empty);
        _network = new(() => weights.WithParameters(masks.Select(mask => weights[mask.Key].WithValues(mask.Value.Apply(weights[mask.Key].Values)))));
    }

    /// <summary>The masks by the name of their parameter. What has no mask was never pruned.</summary>
    public ImmutableDictionary<string, WeightMask> Masks { get; }

    /// <summary>The network with its dropped weights at zero: pruning made permanent.</summary>
    public Network Network => _network.Value;

    /// <summary>Other weights of it by name: networks of the same graph.</summary>
    internal ImmutableDictionary<string, Network> Checkpoints { get; }

    /// <summary>Whether any parameter has a mask.</summary>
    public bool IsPruned => !Masks.IsEmpty;

    /// <summary>Adds a mask of your own; what an earlier mask dropped stays dropped.</summary>
    /// <param name="parameter">Name of the parameter.</param>
    /// <param name="mask">One entry a value, in row-major order.</param>
    /// <exception cref="ArgumentException">No such parameter, or a mask of another size.</exception>
    public PrunedNetwork WithMask(string parameter, WeightMask mask)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(mask);
        var target = _weights[parameter];
        if (mask.Count != target.Count)
        {
            throw new ArgumentException($"The mask has {mask.Count} entries, but parameter {target} has {target.Count} values.", nameof(mask));
        }

        return new(_weights, Masks.SetItem(parameter, Masks.TryGetValue(parameter, out var before) ? before.And(mask) : mask), Checkpoints);
    }

    /// <summary>The same masks over other values of a parameter; those that a mask drops stay zero in <see cref="Network"/>.</summary>
    /// <param name="parameter">Name of the parameter.</param>
    /// <param name="values">As many as it has, in row-major order; copied.</param>
    /// <exception cref="ArgumentException">No such parameter, or another number of values.</exception>
    public PrunedNetwork With(string parameter, ReadOnlySpan<float> values) => WithWeights(_weights.With(parameter, values));

    /// <summary>The network as it was given, whatever its masks drop.</summary>
    internal Network Weights => _weights;

    /// <summary>The same masks over other weights.</summary>
    internal PrunedNetwork WithWeights(Network weights) => new(weights, Masks, Checkpoints);

    /// <summary>What is left without some groups of its graph.</summary>
    internal PrunedNetwork Without(StructureRemoval removal)
    {
        string[] names = [.. Checkpoints.Keys];
        var smaller = removal.Remove([Network, .. names.Select(name => Checkpoints[name])]);
        return new(smaller[0], Masks.ToImmutableDictionary(mask => mask.Key, mask => removal.Shrink(_weights[mask.Key], mask.Value)),
            names.Zip(smaller.Skip(1)).ToImmutableDictionary(pair => pair.First, pair => pair.Second));
    }

    /// <summary>The network changed, and its checkpoints alike.</summary>
    /// <param name="masks">What is held at zero in the changed network.</param>
    /// <param name="network">Changed.</param>
    /// <param name="change">Changes the graph of a checkpoint in the same way.</param>
    internal PrunedNetwork Changed(ImmutableDictionary<string, WeightMask> masks, Network network, Func<Network, Network> change)
        => new(network, masks, Checkpoints.ToImmutableDictionary(checkpoint => checkpoint.Key, checkpoint => change(checkpoint.Value) is var changed
            && checkpoint.Value.Graph == _weights.Graph ? network.WithParameters(changed.Parameters) : changed));

    internal PoolMember Member(string parameter) => PoolMember.Of(_weights, parameter, Masks.GetValueOrDefault(parameter));
}
