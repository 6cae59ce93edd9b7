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

    /// <summary>
    /// The range whose steps between integers make the squared error of layers' outputs least: by gradient descent on calibration rows, layer after layer
    /// (Esser et al. 2020, "Learned Step Size Quantization"; on calibration rows alone as in Nagel et al. 2021, "A White Paper on Neural Network
    /// Quantization"). It starts from the better of <see cref="MeanSquaredError"/> and <see cref="MinMax"/>, and with <see cref="WeightRounding.Nearest"/> the
    /// network's outputs on these rows never have a larger squared error than with either. As range of the values between layers, it is that of weights too
    /// unless these have another than <see cref="MinMax"/> to start from.
    /// </summary>
    /// <param name="iterations">Steps of Adam for each layer, each on 64 rows; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is below 1.</exception>
    /// <remarks>
    /// Cost: for each layer some passes of the calibration rows and about 3 x iterations x 64 times the layer's multiply-adds. Of layers that multiply two
    /// operands, such as Conv and Gemm; the report warns of others, which keep their start. Tensors that no layer reads, as those of a sum, keep theirs too.
    /// </remarks>
    public static QuantizationRange Learned(int iterations = 200) => iterations >= 1 ? new LearnedRange(iterations)
        : throw new ArgumentOutOfRangeException(nameof(iterations), iterations, "Steps are learned in at least one iteration.");

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
