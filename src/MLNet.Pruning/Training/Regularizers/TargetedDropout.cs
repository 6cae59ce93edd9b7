using MLNet.Pruning.Training.Optimizers;
using MLNet.Pruning.Training.Regularizers;

namespace MLNet.Pruning;

/// <summary>
/// Targeted dropout (Gomez et al. 2019, "Learning Sparse Networks Using Targeted Dropout"): in each step a share of every unit's smallest weights
/// may drop, each with a probability of its own, so that the network learns not to rely on what magnitude pruning takes away later.
/// </summary>
public sealed class TargetedDropout
{
    /// <param name="targeted">Share of the weights into each unit, the smallest in size, that may drop; in (0, 1]. The paper's gamma.</param>
    /// <param name="rate">Probability that one of them drops in a step; in (0, 1]. The paper's alpha.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public TargetedDropout(double targeted = 0.5, double rate = 0.5)
    {
        (Targeted, Rate) = (Share(targeted, nameof(targeted)), Share(rate, nameof(rate)));
    }

    /// <summary>Share of the weights into each unit that may drop.</summary>
    public double Targeted { get; }

    /// <summary>Probability that one of them drops in a step.</summary>
    public double Rate { get; }

    internal TrainingCallback Bind(Network network) => new TargetedDropoutStep(this, network);

    private static double Share(double value, string name) => value is > 0 and <= 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, "A share lies in (0, 1].");
}
