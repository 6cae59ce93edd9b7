using MLNet.Pruning.Compression.Pruning.Importances;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.SparseTrainings;

/// <summary>See <see cref="SparseTraining.L0"/>; the constants are the paper's.</summary>
internal sealed class HardConcreteTraining : SparseTraining
{
    private const double Temperature = 2.0 / 3;
    private const double Low = -0.1;
    private const double High = 1.1;
    private readonly double _strength;
    private readonly double _learningRate;

    public HardConcreteTraining(double strength, double learningRate, double until) : base(1, until)
        => (_strength, _learningRate) = (Positive(strength, nameof(strength), orZero: true), Positive(learningRate, nameof(learningRate)));

    public override string ToString() => Notation.Call(nameof(L0), _strength, _learningRate, Until);

    internal override SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data) => new Run(this, options, start, data);

    /// <summary>The gate z of equation 10, from the logarithm of alpha and uniform noise.</summary>
    internal static Tensor Gate(Tensor logAlpha, Tensor uniform)
    {
        using Scalar one = 1.0, minus = -1.0, cooling = 1 / Temperature, width = High - Low, low = Low, shut = 0.0;
        var odds = uniform.log().sub(uniform.neg().add(one, one).log());
        return logAlpha.add(odds, one).mul(cooling).sigmoid().mul(width).add(low, one).clamp(shut, one);
    }

    /// <summary>The gate without noise, equation 13.</summary>
    internal static Tensor MeanGate(Tensor logAlpha)
    {
        using Scalar one = 1.0, width = High - Low, low = Low, shut = 0.0;
        return logAlpha.sigmoid().mul(width).add(low, one).clamp(shut, one);
    }

    /// <summary>Probability that a gate is not shut, equation 12.</summary>
    internal static Tensor Open(Tensor logAlpha)
    {
        using Scalar shift = -Temperature * Math.Log(-Low / High), one = 1.0;
        return logAlpha.add(shift, one).sigmoid();
    }

    private sealed class Run(HardConcreteTraining owner, SelectionOptions options, PrunedNetwork start, CalibrationData data)
        : LearnedMaskRun(owner, owner._learningRate, options, start, data)
    {
        /// <summary>Gates start open, at odds of nine to one.</summary>
        protected override float Initial => (float)Math.Log(0.9 / 0.1);

        protected override Tensor Effective(Learned one) => one.Values.mul(one.Spread(Gate(one.Learnt, one.Noise!.select(-1, 0))));

        protected override Tensor Penalty(Learned one)
        {
            using Scalar strength = owner._strength * one.StructureSize;
            return Open(one.Learnt).sum().mul(strength);
        }

        protected override Tensor Settled(Learned one) => one.Values.mul(one.Spread(MeanGate(one.Learnt)));

        protected override Tensor Score(Learned one)
        {
            using Scalar size = one.StructureSize;
            return one.Spread(Open(one.Learnt)).div(size);
        }
    }
}
