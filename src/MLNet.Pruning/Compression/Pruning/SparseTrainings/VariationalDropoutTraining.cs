using MLNet.Pruning.Compression.Pruning.Importances;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.VariationalDropout"/>; what is learned beside a weight is the logarithm of the variance of its noise.</summary>
internal sealed class VariationalDropoutTraining : SparseTraining
{
    /// <summary>Next to no noise at first.</summary>
    private const float InitialLogVariance = -10;

    private readonly double _strength;
    private readonly double _learningRate;

    public VariationalDropoutTraining(double strength, double learningRate, double until) : base(1, until)
        => (_strength, _learningRate) = (Positive(strength, nameof(strength), orZero: true), Positive(learningRate, nameof(learningRate)));

    public override string ToString() => Notation.Call(nameof(VariationalDropout), _strength, _learningRate, Until);

    internal override void Check(SelectionOptions options)
    {
        base.Check(options);
        if (!options.Granularity.IsSingle)
        {
            throw new ArgumentException($"{nameof(SparseTraining)}.{this} learns the noise of single weights, not of structures of granularity "
                + $"'{options.Granularity}'.",
                Option);
        }
    }

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data) => new Run(this, options, start, data);

    /// <summary>The divergence from the log-uniform prior as a function of log alpha, equation 14.</summary>
    internal static Tensor Divergence(Tensor logAlpha)
    {
        using Scalar slope = 1.48695, shift = 1.87320, height = -0.63576, half = 0.5, floor = 0.63576, minus = -1.0, one = 1.0;
        return logAlpha.mul(slope).add(shift, one).sigmoid().mul(height).add(floor, one).add(logAlpha.mul(minus).exp().log1p(), half);
    }

    /// <summary>log alpha = log variance - log weight^2, bounded where the divergence is flat.</summary>
    internal static Tensor LogAlpha(Tensor values, Tensor logVariance)
    {
        using Scalar two = 2.0, tiny = 1e-8, low = -8.0, high = 8.0, one = 1.0;
        return logVariance.sub(values.abs().add(tiny, one).log().mul(two)).clamp(low, high);
    }

    private sealed class Run(VariationalDropoutTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data)
        : LearnedMaskRun(owner, owner._learningRate, options, start, data)
    {
        protected override float Initial => InitialLogVariance;

        protected override Tensor Effective(Learned one)
        {
            // Box and Muller: a normal number from two uniform ones.
            using Scalar two = -2.0, circle = 2 * Math.PI, half = 0.5, whole = 1.0;
            var normal = one.Noise!.select(-1, 0).log().mul(two).sqrt().mul(one.Noise!.select(-1, 1).mul(circle).cos());
            return one.Values.add(one.Spread(one.Learnt.mul(half).exp().mul(normal)), whole);
        }

        protected override Tensor Penalty(Learned one)
        {
            using Scalar factor = owner._strength / Rows * Math.Min(1, 3 * Progress);
            return Divergence(LogAlpha(one.Values, one.Spread(one.Learnt))).sum().mul(factor);
        }

        protected override Tensor Settled(Learned one) => one.Values.alias();

        protected override Tensor Score(Learned one)
        {
            using Scalar half = -0.5;
            return LogAlpha(one.Values, one.Spread(one.Learnt)).mul(half).exp();
        }
    }
}
