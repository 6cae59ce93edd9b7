using MLNet.Pruning.Training.Optimizers;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning;

/// <summary>How gradients become changes of the weights.</summary>
public abstract record Optimizer
{
    private Optimizer()
    {
    }

    /// <summary>Stochastic gradient descent, optionally with momentum (Polyak 1964) in Nesterov's form (Sutskever et al. 2013).</summary>
    /// <param name="momentum">In [0, 1).</param>
    /// <param name="nesterov">Whether to use Nesterov's form; needs momentum.</param>
    public static Optimizer Sgd(double momentum = 0.9, bool nesterov = false)
    {
        CheckRate(momentum, nameof(momentum));
        return !nesterov || momentum > 0 ? new SgdOptimizer(momentum, nesterov)
            : throw new ArgumentException("Nesterov's form needs a momentum above 0.", nameof(nesterov));
    }

    /// <summary>Adam (Kingma &amp; Ba 2015).</summary>
    /// <param name="beta1">Decay of the mean of gradients, in [0, 1).</param>
    /// <param name="beta2">Decay of the mean of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">Added to the denominator; not negative. Of 0, weights without a gradient become NaN.</param>
    public static Optimizer Adam(double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        CheckRate(beta1, nameof(beta1));
        CheckRate(beta2, nameof(beta2));
        Setting.NotNegative(epsilon, nameof(epsilon));
        return new AdamOptimizer(beta1, beta2, epsilon, Decoupled: false);
    }

    /// <summary>Adam with decoupled weight decay (Loshchilov &amp; Hutter 2019).</summary>
    /// <param name="beta1">Decay of the mean of gradients, in [0, 1).</param>
    /// <param name="beta2">Decay of the mean of squared gradients, in [0, 1).</param>
    /// <param name="epsilon">Added to the denominator; not negative. Of 0, weights without a gradient become NaN.</param>
    public static Optimizer AdamW(double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
        => (AdamOptimizer)Adam(beta1, beta2, epsilon) with { Decoupled = true };

    internal abstract UpdateRule Create(IReadOnlyList<TorchParameter> parameters, double weightDecay);

    private static void CheckRate(double value, string name)
    {
        if (!(value is >= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} lies in [0, 1).");
        }
    }

    private sealed record SgdOptimizer(double Momentum, bool Nesterov) : Optimizer
    {
        public override string ToString() => Notation.Call(nameof(Sgd), Momentum, Nesterov);

        internal override UpdateRule Create(IReadOnlyList<TorchParameter> parameters, double weightDecay)
            => new SgdUpdate(parameters, Momentum, Nesterov, weightDecay);
    }

    private sealed record AdamOptimizer(double Beta1, double Beta2, double Epsilon, bool Decoupled) : Optimizer
    {
        public override string ToString() => Notation.Call(Decoupled ? nameof(AdamW) : nameof(Adam), Beta1, Beta2, Epsilon);

        internal override UpdateRule Create(IReadOnlyList<TorchParameter> parameters, double weightDecay)
            => new AdamUpdate(parameters, Beta1, Beta2, Epsilon, weightDecay, Decoupled);
    }
}
