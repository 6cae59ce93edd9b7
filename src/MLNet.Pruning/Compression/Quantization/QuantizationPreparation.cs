using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Compression.Quantization.Preparation;

namespace MLNet.Pruning;

/// <summary>
/// What is done to a network of floats so that rounding costs less: changes that leave what it computes as it is, and biases that make up for what rounding
/// does on average. Combined with <c>+</c>, in that order: <c>QuantizationPreparation.Smooth(0.5) + QuantizationPreparation.CorrectBias</c>. Each folds
/// batch normalisation into the layer before it first.
/// </summary>
public abstract class QuantizationPreparation
{
    private protected QuantizationPreparation()
    {
    }

    /// <summary>
    /// Cross-layer equalisation: where two layers are joined by nothing but what passes a positive factor on (Relu, LeakyRelu, pooling, reshaping), unit i of
    /// the first is divided by sqrt(r1 / r2) and what reads it multiplied, with r1 and r2 the largest magnitudes of the weights that make and that read it,
    /// over and over until all are equal (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction"). For weights with
    /// one scale a layer; with a scale a channel there is less to win, and ranges between layers may grow.
    /// </summary>
    public static QuantizationPreparation Equalize { get; } = new Equalization();

    /// <summary>
    /// Bias correction: from the input on, each dense layer and convolution gets the bias with which its outputs are on average, over calibration rows and
    /// positions, what they are in the network of floats; one without a bias gets one (Nagel et al. 2019). Earlier layers are rounded and corrected already.
    /// </summary>
    /// <remarks>Cost: a pass of the calibration rows for each layer.</remarks>
    public static QuantizationPreparation CorrectBias { get; } = new BiasCorrecting();

    /// <summary>
    /// Unit j of what dense layers read is divided by max|X_j|^alpha / max|W_j|^(1 - alpha), and the weights that read it multiplied, with X its values on
    /// calibration rows: outliers of activations become part of the weights (Xiao et al. 2023, "SmoothQuant: Accurate and Efficient Post-Training Quantization
    /// for Large Language Models"). The division goes into the normalisation or layer that makes it, such as the LayerNormalization before an attention's
    /// queries, keys and values. Where something else reads what a normalisation makes, as the sums of blocks that normalise last do, the dense layers get a
    /// product of their own before them that divides; what a layer makes then stays as it is.
    /// </summary>
    /// <param name="alpha">How much of the ranges of activations goes to the weights, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is out of range.</exception>
    public static QuantizationPreparation Smooth(double alpha = 0.5) => alpha is >= 0 and <= 1 ? new SmoothQuant(alpha)
        : throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "How much of the ranges goes to the weights is a share in [0, 1].");

    /// <summary>Both, the first one first.</summary>
    /// <exception cref="ArgumentNullException">One is null.</exception>
    public static QuantizationPreparation operator +(QuantizationPreparation a, QuantizationPreparation b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new Both(a, b);
    }

    /// <summary>Whether biases are corrected once weights are rounded.</summary>
    internal virtual bool CorrectsBiases => false;

    /// <summary>Another network of floats that computes the same.</summary>
    /// <exception cref="ArgumentException">There is nothing in it to do so to.</exception>
    internal abstract Network Prepare(Network network, QuantizationStep step);

    private sealed class Equalization : QuantizationPreparation
    {
        public override string ToString() => nameof(Equalize);

        internal override Network Prepare(Network network, QuantizationStep step) => CrossLayerEqualization.Run(network, step.CancellationToken);
    }

    private sealed class BiasCorrecting : QuantizationPreparation
    {
        internal override bool CorrectsBiases => true;

        public override string ToString() => nameof(CorrectBias);

        internal override Network Prepare(Network network, QuantizationStep step) => BiasCorrection.Prepare(network);
    }

    private sealed class SmoothQuant(double alpha) : QuantizationPreparation
    {
        public override string ToString() => Notation.Call(nameof(Smooth), alpha);

        internal override Network Prepare(Network network, QuantizationStep step) => Smoothing.Run(network, alpha, step.Visit);
    }

    private sealed class Both(QuantizationPreparation a, QuantizationPreparation b) : QuantizationPreparation
    {
        internal override bool CorrectsBiases => a.CorrectsBiases || b.CorrectsBiases;

        public override string ToString() => $"{a} + {b}";

        internal override Network Prepare(Network network, QuantizationStep step) => b.Prepare(a.Prepare(network, step), step);
    }
}
