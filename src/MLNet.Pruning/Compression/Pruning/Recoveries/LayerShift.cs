using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// The parameter that shifts a layer's units, in the layer itself or right behind it: a bias, or the mean that batch normalisation takes off.
/// </summary>
/// <param name="Parameter">Its name.</param>
/// <param name="Factor">What it is multiplied by.</param>
internal sealed record LayerShift(string Parameter, double Factor)
{
    /// <summary>Of a dense layer or convolution; null for none, or one that others read too.</summary>
    public static LayerShift? Of(Network network, Node layer, int units)
    {
        if (layer.Input(2) is { } own)
        {
            return Has(own) && layer.Float("beta", 1) != 0 ? new(own, layer.Float("beta", 1)) : null;
        }

        if (network.Graph.Outputs.Contains(layer.Outputs[0]) || network.Consumers(layer.Outputs[0]).Take(2).ToArray() is not [{ Domain: "" } next])
        {
            return null;
        }

        return next.Operator switch
        {
            "Add" when layer.Operator != "Conv" && next.Inputs.FirstOrDefault(input => input != layer.Outputs[0]) is { } behind && Has(behind)
                => new(behind, 1),
            "BatchNormalization" when layer.Operator == "Conv" && !next.IsTraining && Has(next.Inputs[3], trained: false) => new(next.Inputs[3], -1),
            _ => null,
        };

        bool Has(string name, bool trained = true) => network.Parameter(name) is { } parameter && parameter.Count == units && parameter.Shape[^1] == units
            && HasOwn(network, name, trained);
    }

    /// <summary>Whether a parameter, trained or measured in training, is read by one node alone.</summary>
    public static bool HasOwn(Network network, string parameter, bool trained)
        => network[parameter].Trainable == trained && network.Consumers(parameter).Take(2).Count() == 1;
}
