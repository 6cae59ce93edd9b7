using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning;

/// <summary>
/// Which values of a tensor the integers span; what lies outside is clipped to the nearest. Zero is always spanned, so that zeros, those of a Relu, of
/// padding and of pruned weights, stay exact.
/// </summary>
public abstract class QuantizationRange
{
    private protected QuantizationRange()
    {
    }

    /// <summary>From the least to the largest value seen: nothing is clipped.</summary>
    public static QuantizationRange MinMax { get; } = new MinMaxRange();

    /// <summary>
    /// The range with the least Kullback-Leibler divergence between the values and their quantised form (Migacz 2017, "8-bit Inference with TensorRT").
    /// </summary>
    public static QuantizationRange Entropy { get; } = new EntropyRange();

    /// <summary>The range with the least mean squared error of the values against their quantised form.</summary>
    public static QuantizationRange MeanSquaredError { get; } = new MeanSquaredErrorRange();

    /// <summary>All but a share of the values: as many of the least as of the largest are clipped.</summary>
    /// <param name="share">Share of the values that is spanned, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is out of range.</exception>
    public static QuantizationRange Percentile(double share = 0.9999) => share is > 0 and <= 1 ? new PercentileRange(share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the values that is spanned lies in (0, 1].");

    /// <summary>The range of values that a histogram counts.</summary>
    /// <param name="histogram">The values.</param>
    /// <param name="levels">Integers that the range is divided into, from 2.</param>
    /// <param name="isSymmetric">Whether it is as wide below zero as above.</param>
    /// <returns>Its ends: the lower at most 0, the upper at least 0.</returns>
    internal abstract (double Low, double High) Of(Histogram histogram, int levels, bool isSymmetric);
}
