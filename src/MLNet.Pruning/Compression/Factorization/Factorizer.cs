using MLNet.Pruning.Compression.Factorization;

namespace MLNet.Pruning;

/// <summary>
/// Into which smaller layers a layer is taken apart whose product is nearly its own weight: dense layers, attention projections and embeddings into two of low
/// rank, convolutions into two or three. <c>+</c> joins several: each layer is taken apart by the first that can.
/// </summary>
/// <example><code>
/// var pipeline = ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(784, 300, 100, 10))
///     .Append(ml.Transforms.Factorize(Factorizer.DataAwareSvd, Rank.Energy(0.99)));
/// </code></example>
public abstract class Factorizer
{
    private protected Factorizer()
    {
    }

    /// <summary>
    /// The nearest matrix of a rank, by the singular vectors of the weight (Eckart &amp; Young 1936). A convolution becomes one of as many filters as the
    /// rank has, and a mixing of those.
    /// </summary>
    public static Factorizer Svd { get; } = new SvdFactorizer();

    /// <summary>
    /// The matrix of a rank whose outputs on calibration rows are nearest: the weight projected on the principal directions of the second moments of its
    /// outputs. Of the same layers as <see cref="Svd"/>.
    /// </summary>
    /// <remarks>Cost: a pass of the calibration rows, and outputs^3 or inputs^3 multiply-adds a layer, whichever is less.</remarks>
    public static Factorizer DataAwareSvd { get; } = new OutputFactorizer(centred: false);

    /// <summary>
    /// As <see cref="DataAwareSvd"/> but of the outputs less their mean, which goes into the bias (Zhang et al. 2016, "Accelerating Very Deep Convolutional
    /// Networks for Classification and Detection").
    /// </summary>
    public static Factorizer Pca { get; } = new OutputFactorizer(centred: true);

    /// <summary>
    /// Convolutions between fewer channels with a mixing of channels before and behind, by higher-order singular vectors that are improved in turns (Kim et
    /// al. 2016, "Compression of Deep Convolutional Neural Networks for Fast and Low Power Mobile Applications"). Has two ranks, of channels and of filters.
    /// </summary>
    public static Factorizer Tucker2 { get; } = new TuckerFactorizer();

    /// <summary>
    /// Convolutions as a kernel of one column and then one of one row (Jaderberg et al. 2014, "Speeding up Convolutional Neural Networks with Low Rank
    /// Expansions", scheme 2), in the closed form of Tai et al. 2016, "Convolutional Neural Networks with Low-rank Regularization". Of kernels of two
    /// dimensions.
    /// </summary>
    public static Factorizer SpatialSvd { get; } = new SpatialFactorizer();

    /// <summary>
    /// Convolutions as a mixing of channels, a kernel for each of them and a mixing (Lebedev et al. 2015, "Speeding-up Convolutional Neural Networks Using
    /// Fine-tuned CP-Decomposition", here with the kernel whole), by alternating least squares.
    /// </summary>
    /// <param name="iterations">Turns of least squares at most; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is below 1.</exception>
    /// <remarks>
    /// The greatest rank is that at which the three layers have as many values as the one. Cost: at each rank that is tried 3 x iterations x rank x values
    /// multiply-adds; a rule that looks at energies tries up to 16 ranks a layer.
    /// </remarks>
    public static Factorizer Cp(int iterations = 200) => new CpFactorizer(Setting.AtLeast(1, iterations, nameof(iterations)));

    /// <summary>
    /// Two factors without negative values, for weights that have none themselves, by multiplicative updates (Lee &amp; Seung 2001, "Algorithms for
    /// Non-negative Matrix Factorization"). Other layers stay as they are.
    /// </summary>
    /// <param name="iterations">Updates; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="iterations"/> is below 1.</exception>
    public static Factorizer NonNegative(int iterations = 500) => new NonNegativeFactorizer(Setting.AtLeast(1, iterations, nameof(iterations)));

    /// <summary>The first where it can take a layer apart, else the second.</summary>
    public static Factorizer operator +(Factorizer a, Factorizer b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return new FactorizerSum(a, b);
    }

    /// <summary>Those that are joined in it, in order.</summary>
    internal virtual IEnumerable<Factorizer> Terms => [this];

    /// <summary>Why it does not take a layer apart; null where it does.</summary>
    internal abstract string? Refusal(FactorizableLayer layer);

    /// <summary>What it makes of a layer.</summary>
    /// <param name="layer">One that it does not refuse.</param>
    /// <param name="moments">Those of the layer's outputs, where they are measured.</param>
    internal abstract Decomposition Decompose(FactorizableLayer layer, OutputMoments? moments);

    /// <summary>The form whose outputs it wants measured; null for none.</summary>
    internal virtual MatrixForm? Measured(FactorizableLayer layer) => null;
}
