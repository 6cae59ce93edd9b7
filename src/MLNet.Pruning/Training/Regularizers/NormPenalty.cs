using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training.Regularizers;

/// <summary>Absolute values and squares of the weights of layers.</summary>
internal sealed class NormPenalty(double l1, double l2) : Regularization
{
    private readonly double _l1 = Strength(l1, nameof(l1));
    private readonly double _l2 = Strength(l2, nameof(l2));

    public override string ToString() => Notation.Call(nameof(ElasticNet), _l1, _l2);

    internal override Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var weights = network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(name => parameters[name]).ToArray();
        if (weights.Length == 0)
        {
            throw new ArgumentException("The network has no layers with weights to regularise.");
        }

        Scalar one = 1.0, absolute = _l1, square = _l2;
        return () => Sum(weights.SelectMany(weight => Penalties(weight, absolute, square)), one);
    }

    private IEnumerable<Tensor> Penalties(Tensor weight, Scalar absolute, Scalar square)
    {
        if (_l1 > 0 || _l2 == 0)
        {
            yield return weight.abs().sum().mul(absolute);
        }

        if (_l2 > 0)
        {
            yield return (weight * weight).sum().mul(square);
        }
    }
}
