using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning;

/// <summary>Which of the integers around it a weight becomes.</summary>
public abstract class WeightRounding
{
    private protected WeightRounding()
    {
    }

    /// <summary>The nearest.</summary>
    public static WeightRounding Nearest { get; } = new NearestRounding();

    /// <summary>
    /// Input by input, those of the largest second moment first; what rounding a weight does to its layer's outputs is made up for by the weights that are
    /// still to be rounded (Frantar et al. 2023, "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers"). For dense layers and
    /// convolutions of one group; other weights go to the nearest. Pruned weights stay zero.
    /// </summary>
    /// <param name="damping">Share of the mean second moment of a layer's inputs that is added to each; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="damping"/> is out of range.</exception>
    /// <remarks>Cost: for each layer a pass of the calibration rows and 2 inputs^3 / 3 + inputs^2 x units / 2 multiply-adds.</remarks>
    public static WeightRounding Gptq(double damping = 0.01) => damping is > 0 and < double.PositiveInfinity ? new GptqRounding(damping)
        : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0.");

    /// <summary>
    /// Up or down, whichever of all choices together changes a layer's outputs least: found by gradient descent on a relaxed choice that is driven to one or
    /// the other (Nagel et al. 2020, "Up or Down? Adaptive Rounding for Post-Training Quantization"). For dense layers and convolutions of one
    /// group; other weights go to the nearest. Pruned weights stay zero.
    /// </summary>
    /// <param name="iterations">Steps of Adam for each layer; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is below 1.</exception>
    /// <remarks>Cost: for each layer a pass of the calibration rows and 2 x iterations x inputs^2 x units multiply-adds.</remarks>
    public static WeightRounding AdaRound(int iterations = 1000) => new AdaRounding(iterations);

    /// <summary>The integers of a layer's weight.</summary>
    internal abstract long[] Round(WeightToRound weight, QuantizationStep step);
}
