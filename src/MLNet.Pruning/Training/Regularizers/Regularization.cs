using MLNet.Pruning.Training.Regularizers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning;

/// <summary>
/// A penalty on weights that training adds to its loss, so that what is pruned later is small already. Penalties add up with
/// <c>+</c>. The loss that epochs report leaves it out.
/// </summary>
public abstract class Regularization
{
    private protected Regularization()
    {
    }

    /// <summary>strength x sum of |w| over the weights of layers (Tibshirani 1996).</summary>
    /// <param name="strength">Not negative.</param>
    public static Regularization L1(double strength) => new NormPenalty(Strength(strength, nameof(strength)), 0);

    /// <summary>strength x sum of w^2 over the weights of layers. Unlike weight decay it leaves biases and normalisation alone.</summary>
    /// <param name="strength">Not negative.</param>
    public static Regularization L2(double strength) => new NormPenalty(0, Strength(strength, nameof(strength)));

    /// <summary>The sum of both (Zou &amp; Hastie 2005).</summary>
    /// <param name="l1">Strength of the absolute values; not negative.</param>
    /// <param name="l2">Strength of the squares; not negative.</param>
    public static Regularization ElasticNet(double l1, double l2) => new NormPenalty(l1, l2);

    /// <summary>
    /// strength x sum over structures of sqrt(values in it) x its Euclidean norm (Yuan &amp; Lin 2006; for filters Wen et al. 2016): whole structures
    /// go to zero together. For structures that are removed, the norm runs over all weights that go with a structure.
    /// </summary>
    /// <param name="strength">Not negative.</param>
    /// <param name="granularity">
    /// The structures: rows, columns, slices, kernels, blocks, or neurons, filters, heads, hidden units; by default <see cref="Granularity.Unit"/>.
    /// </param>
    /// <exception cref="ArgumentException">Structures are single weights (that is <see cref="L1"/>), residual blocks, layers, or an N:M pattern.</exception>
    public static Regularization GroupLasso(double strength, Granularity? granularity = null) => new GroupPenalty(strength, granularity ?? Granularity.Unit);

    /// <summary>strength x sum of |scale| over batch normalisation (Liu et al. 2017, "network slimming").</summary>
    /// <param name="strength">Not negative.</param>
    public static Regularization BatchNormScale(double strength) => new ScalePenalty(strength);

    /// <summary>Both penalties.</summary>
    /// <exception cref="ArgumentNullException">One is null.</exception>
    public static Regularization operator +(Regularization a, Regularization b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new PenaltySum(a, b);
    }

    /// <summary>The penalty over the parameters of a network as a function that autograd follows; called once for every step.</summary>
    /// <param name="network">The network.</param>
    /// <param name="parameters">Its parameters as tensors.</param>
    /// <exception cref="ArgumentException">The network has nothing that it applies to.</exception>
    internal abstract Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters);

    private protected static double Strength(double value, string name) => Setting.NotNegative(value, name);

    /// <summary>Sum of tensors of one value each.</summary>
    private protected static Tensor Sum(IEnumerable<Tensor> terms, Scalar one) => terms.Aggregate((sum, term) => sum.add(term, one));

    private sealed class PenaltySum(Regularization a, Regularization b) : Regularization
    {
        public override string ToString() => $"{a} + {b}";

        internal override Func<Tensor> Bind(Network network, IReadOnlyDictionary<string, Tensor> parameters)
        {
            Scalar one = 1.0;
            var (first, second) = (a.Bind(network, parameters), b.Bind(network, parameters));
            return () => first().add(second(), one);
        }
    }
}
