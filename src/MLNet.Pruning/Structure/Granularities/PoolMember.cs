using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure.Granularities;

/// <summary>A parameter whose weights or structures are compared with those of the others in its pool.</summary>
/// <param name="Parameter">The parameter with its values.</param>
/// <param name="Axes">What its dimensions are.</param>
/// <param name="Layer">The layer that multiplies with it; the parameter's own name where none does.</param>
/// <param name="Mask">What is dropped already.</param>
internal sealed record PoolMember(Parameter Parameter, WeightAxes Axes, string Layer, WeightMask? Mask)
{
    public static PoolMember Of(Network network, string name, WeightMask? mask)
    {
        var layer = network.Layers.FirstOrDefault(layer => layer.Weights.Contains(name));
        return new(network[name], LayerInfo.Axes(layer, network[name]), layer?.Node.Name ?? name, mask);
    }
}
