using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Regularizers;

/// <summary>Absolute values of the scales of batch normalisation.</summary>
internal sealed class ScalePenalty(double strength) : Regularization
{
    private readonly double _strength = Strength(strength, nameof(strength));

    public override string ToString() => Notation.Call(nameof(BatchNormScale), _strength);

    internal override Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var scales = network.Nodes.Where(node => node is { Operator: "BatchNormalization", Domain: "" } && parameters.ContainsKey(node.Inputs[1]))
            .Select(node => parameters[node.Inputs[1]]).Distinct().ToArray();
        if (scales.Length == 0)
        {
            throw new ArgumentException("The network has no batch normalisation whose scales could be regularised.");
        }

        Scalar one = 1.0, factor = _strength;
        return () => Sum(scales.Select(scale => scale.abs().sum()), one).mul(factor);
    }
}
