using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning;

/// <summary>
/// How to measure the importance of a weight, a slice of weights, or a group: the least important goes first. A criterion of your own derives from this class.
/// </summary>
/// <example>
/// The size of a weight times the gradient of the loss, as <see cref="AbsoluteTaylor"/>:
/// <code>
/// sealed class GradientTimesWeight : Importance
/// {
///     protected override ImportanceScores MeasureCore(ImportanceContext context)
///     {
///         using var run = context.Start(nameof(GradientTimesWeight), rows: 256);
///         run.Differentiate();
///         return ImportanceScores.OfWeights(nameof(GradientTimesWeight), run.Combine((weight, gradient) =&gt; MathF.Abs(weight * gradient)), context.Masks);
///     }
/// }
/// </code>
/// </example>
public abstract class Importance
{
    /// <summary>Absolute value of single weights; sum of absolute values of slices (Han et al. 2015, Li et al. 2017).</summary>
    public static Importance L1 { get; } = Magnitude(1);

    /// <summary>Absolute value of single weights; Euclidean norm of slices.</summary>
    public static Importance L2 { get; } = Magnitude(2);

    /// <summary>Absolute value of single weights; Lp norm of slices.</summary>
    /// <param name="p">Order of the norm; positive and negative infinity take the largest and the smallest absolute value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not a number.</exception>
    public static Importance Magnitude(double p = 1) => new MagnitudeImportance(p);

    /// <summary>Uniform random numbers: the baseline every criterion has to beat.</summary>
    /// <param name="seed">Same seed, same choice.</param>
    public static Importance Random(int seed = 0) => new RandomImportance(seed);

    /// <summary>Size of the gradient of the loss.</summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory does not grow with their number.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is below 1.</exception>
    public static Importance Gradient(int rows = CalibratedImportance.DefaultRows) => new GradientMagnitudeImportance(rows);

    /// <summary>Squared change of the loss to first order when a weight goes, summed over slices (Molchanov et al. 2019).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance Taylor(int rows = CalibratedImportance.DefaultRows) => new TaylorImportance(rows);

    /// <summary>Size of the change of the loss to first order when a weight goes, |w g| (Molchanov et al. 2017).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance AbsoluteTaylor(int rows = CalibratedImportance.DefaultRows) => new AbsoluteTaylorImportance(rows);

    /// <summary>Connection sensitivity, for a network that is not trained yet (Lee et al. 2019).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance Snip(int rows = CalibratedImportance.DefaultRows) => new SnipImportance(rows);

    /// <summary>What a weight adds to the flow of gradients, for a network that is not trained yet (Wang et al. 2020).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance Grasp(int rows = CalibratedImportance.DefaultRows) => new GraspImportance(rows);

    /// <summary>
    /// Synaptic flow, from the weights alone (Tanaka et al. 2020). The paper prunes in 100 rounds: use it with <c>Schedule.Geometric(100)</c> and
    /// no fine-tuning between.
    /// </summary>
    public static Importance SynFlow { get; } = new SynFlowImportance();

    /// <summary>
    /// Whether weights move away from zero while the network trains, -w g summed over steps (Sanh et al. 2020), in a rehearsal on the
    /// calibration rows.
    /// </summary>
    /// <remarks>
    /// The rehearsal has to be long enough to move weights: the sum over a few steps is the first gradient's alone, whose sign says little of a
    /// trained network, and with which a small network loses more than by chance.
    /// </remarks>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory does not grow with their number.</param>
    /// <param name="epochs">Passes over them; at least 1.</param>
    /// <param name="learningRate">Step size of the rehearsal's stochastic gradient descent; above 0. A rehearsal that diverges throws.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Importance Movement(int rows = CalibratedImportance.DefaultRows, int epochs = 50, double learningRate = 0.01)
        => new MovementImportance(rows, epochs, learningRate);

    /// <summary>Rise of the loss to second order, by the diagonal of the empirical Fisher information (Theis et al. 2018).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance Fisher(int rows = CalibratedImportance.DefaultRows) => new FisherImportance(rows);

    /// <summary>Optimal brain damage: rise of the loss to second order, by the diagonal of the Gauss-Newton matrix (LeCun et al. 1990).</summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory does not grow with their number.</param>
    /// <param name="probes">Random directions a batch that estimate the diagonal; null computes it exactly, by one backward pass a row and output.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public static Importance DiagonalHessian(int rows = CalibratedImportance.DefaultRows, int? probes = null) => new DiagonalHessianImportance(rows, probes);

    /// <summary>
    /// Optimal brain surgeon, layer by layer: the least error that a layer's outputs can have without a weight; when weights are set to zero or
    /// removed, the others of their unit are changed to make up for them (Hassibi et al. 1993; Frantar &amp; Alistarh 2023, SparseGPT). For dense layers and
    /// convolutions of one group.
    /// </summary>
    /// <param name="rows">
    /// Calibration rows, taken from the training rows; at least 1. Memory grows with the square of a layer's inputs, not with the rows.
    /// </param>
    /// <param name="damping">Added to the diagonal of a layer's second moments, as a share of its mean; above 0.</param>
    /// <param name="order">In which order weights go, and so with which of the others they are compared.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>
    /// Whatever the order, what stays gets the same values: up to 1,024 inputs of a layer, and where all units keep the same inputs, the exact least, else
    /// those of one sweep over its inputs. A layer of more than 4,096 inputs is looked at in parts of so many. What is held at most is told in
    /// <c>MLContext.Log</c> before, and refused where the machine has less.
    /// </remarks>
    /// <example>
    /// Half of the weights by the pattern that sparse tensor cores want, chosen one after another:
    /// <code>
    /// var options = new PruningOptions { Granularity = Granularity.NToM(2, 4), Importance = Importance.OptimalBrainSurgeon(order: SurgeonOrder.Greedy) };
    /// </code>
    /// </example>
    public static Importance OptimalBrainSurgeon(int rows = CalibratedImportance.DefaultRows, double damping = 0.01,
        SurgeonOrder order = SurgeonOrder.AtOnce) => new OptimalBrainSurgeonImportance(rows, damping, order);

    /// <summary>
    /// For neurons, channels, filters and heads: those go together without which what the layers that read them give changes least, when the others make up
    /// for them (Meng et al. 2024, "OSSCAR: One-Shot Structured Pruning in Vision and Language Models with Combinatorial Optimization"). What another criterion
    /// chooses is where a local search starts, which exchanges groups for as long as the error falls; what stays is changed to make up for what went.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory grows with the square of a layer's inputs.</param>
    /// <param name="damping">Ridge: added to the diagonal of a layer's second moments, as a share of its mean; above 0.</param>
    /// <param name="start">
    /// What chooses the groups that the search starts from, and how many each layer loses, such as <see cref="L1"/>, <see cref="Taylor"/> or
    /// <see cref="Wanda"/>; null for optimal brain surgeon by <see cref="SurgeonOrder.Greedy"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>
    /// Cost: a forward pass a row; for each exchange that is tried, some inputs^3 multiply-adds a layer. Where a layer that reads the groups has more than
    /// 1,024 inputs, the choice of <paramref name="start"/> stays. Of weights and what else is set to zero, that choice too.
    /// </remarks>
    /// <example>
    /// <code>
    /// var options = new PruningOptions
    /// {
    ///     Granularity = Granularity.Filter, Amount = Amount.Fraction(0.5), Importance = Importance.Osscar(rows: 512), FineTuneEpochs = 0,
    /// };
    /// </code>
    /// </example>
    public static Importance Osscar(int rows = CalibratedImportance.DefaultRows, double damping = 0.01, Importance? start = null)
        => new OsscarImportance(rows, damping, start);

    /// <summary>
    /// Combinatorial brain surgeon, all layers at once: the weights that go and the values of the others are those of the least of a quadratic model of the
    /// loss (Yu et al. 2022, "The Combinatorial Brain Surgeon"; Benbaki et al. 2023, CHITA). With a schedule of several steps each makes the model anew, on
    /// other rows than the step before, as long as there are any: CHITA++. For what is set to zero.
    /// </summary>
    /// <param name="rows">
    /// Calibration rows a step, taken from the training rows; at least 1. The more there are, the less <paramref name="ridge"/> is needed.
    /// </param>
    /// <param name="ridge">
    /// How strongly weights are held where they are, as a multiple of the mean curvature of the loss over a weight; above 0. Less than what the rows
    /// need fits them and no others: best chosen on validation rows, in powers of 3.
    /// </param>
    /// <param name="curvature">What stands for the second derivatives.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>
    /// Cost: products with the matrix, each of four passes of the rows, or of seven where what the network computes for them is too much to be kept: at most 12
    /// for each fifth of the weights that goes, as many for each of up to 13 exchanges, and 30 more. No matrix of weights by weights or of weights by rows is
    /// formed.
    /// </remarks>
    /// <example>
    /// A twentieth of the weights is left, in one stage and in many:
    /// <code>
    /// var one = new PruningOptions { Amount = Amount.Fraction(0.95), Importance = Importance.CombinatorialBrainSurgeon(rows: 5000) };
    /// var many = one with { Schedule = Schedule.Cubic(12).Hold(8), FineTuneEpochs = 0 };
    /// </code>
    /// </example>
    public static Importance CombinatorialBrainSurgeon(int rows = 1000, double ridge = 5, Curvature curvature = Curvature.GaussNewton)
        => new CombinatorialBrainSurgeonImportance(rows, ridge, curvature);

    /// <summary>
    /// The rise of the loss to second order without a weight when those of its block make up for it, w^2 / (2 [F^-1]_qq), with blocks along the diagonal of the
    /// empirical Fisher information F, the second moments of the gradients of single rows; what stays is changed to make up for what goes, of a block all at
    /// once (Singh &amp; Alistarh 2020, "WoodFisher"). For any weight, biases and embeddings included.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. A backward pass each.</param>
    /// <param name="damping">Added to the diagonal of a weight's blocks, as a share of its mean; above 0.</param>
    /// <param name="blockSize">
    /// Consecutive weights of a block; at least 1. Memory is 4 bytes x <paramref name="blockSize"/> a weight, time some <paramref name="blockSize"/>^2
    /// multiply-adds.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <example>
    /// <code>
    /// var options = new PruningOptions { Amount = Amount.Fraction(0.8), Importance = Importance.WoodFisher(rows: 400), FineTuneEpochs = 0 };
    /// </code>
    /// </example>
    public static Importance WoodFisher(int rows = CalibratedImportance.DefaultRows, double damping = 0.01, int blockSize = 128)
        => new WoodFisherImportance(rows, damping, blockSize);

    /// <summary>Weight times the norm of what it multiplies, for dense layers and convolutions (Sun et al. 2024).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance Wanda(int rows = CalibratedImportance.DefaultRows) => new WandaImportance(rows);

    /// <summary>
    /// Weight times the norm of what it multiplies plus that of regional gradients, for dense layers and convolutions (Yang et al. 2025, "Wanda++: Pruning
    /// Large Language Models via Regional Gradients"): |w| (alpha G + |x|), where G is the root of the mean over rows of the squared gradient of the norm of
    /// what the network puts out some layers further on, and |x| that of the squared norm of what the weight multiplies. It sees that an input that is large
    /// may matter little to what comes later. The paper compares the weights of a unit with each other.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory does not grow with their number.</param>
    /// <param name="alpha">How much gradients count; not negative. With 0 the order is that of <see cref="Wanda"/>.</param>
    /// <param name="layersOn">
    /// Layers with weights between a layer and the tensor whose norm is differentiated, at least 0; where paths part, to the first tensor after so many that
    /// all paths go through. The logits where there are fewer.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>Cost: two forward passes a row, and one more of each row alone with a backward pass through each layer and those behind it.</remarks>
    /// <example>
    /// <code>
    /// var options = new PruningOptions { Granularity = Granularity.NToM(2, 4), Importance = Importance.WandaPlusPlus(), Recovery = Recovery.Newton() };
    /// </code>
    /// </example>
    public static Importance WandaPlusPlus(int rows = CalibratedImportance.DefaultRows, double alpha = 100, int layersOn = 2)
        => new WandaPlusPlusImportance(rows, alpha, layersOn);

    /// <summary>
    /// A weight's share among those of its unit, plus that among those of its input, times a power of the norm of what it multiplies, for dense layers and
    /// convolutions (Zhang et al. 2024, RIA): single inputs and units do not lose all.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. Memory does not grow with their number.</param>
    /// <param name="power">Of the norm, not negative; 0 leaves it out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Importance Ria(int rows = CalibratedImportance.DefaultRows, double power = 0.5) => new RiaImportance(rows, power);

    /// <summary>Mean size of what a unit puts out; for rows, slices and groups (Molchanov et al. 2017).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance ActivationMean(int rows = CalibratedImportance.DefaultRows) => new ActivationMeanImportance(rows);

    /// <summary>Variance of what a unit puts out; for rows, slices and groups (Molchanov et al. 2017).</summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance ActivationVariance(int rows = CalibratedImportance.DefaultRows) => new ActivationVarianceImportance(rows);

    /// <summary>
    /// Share of a unit's outputs that are not zero, one less the average percentage of zeros (APoZ); for rows, slices and groups (Hu et al. 2016).
    /// </summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance NonzeroActivations(int rows = CalibratedImportance.DefaultRows) => new NonzeroActivationsImportance(rows);

    /// <summary>
    /// Size of the scale of the batch normalisation behind a unit; for groups, and slices of the layer it reads (Liu et al. 2017, network slimming).
    /// </summary>
    public static Importance BatchNormScale { get; } = new BatchNormImportance();

    /// <summary>Sum of the distances of a slice to the others; for slices and groups (He et al. 2019, FPGM).</summary>
    public static Importance GeometricMedian { get; } = new GeometricMedianImportance();

    /// <summary>
    /// Measured rise of the loss when a weight or structure goes; exact, and a pass over the rows for each weight or structure, so for small networks or large
    /// structures.
    /// </summary>
    /// <inheritdoc cref="Gradient"/>
    public static Importance LossChange(int rows = CalibratedImportance.DefaultRows) => new LossChangeImportance(rows);

    /// <summary>
    /// Measures the importance scores of weights, slices or groups of a network. Called anew before each step of a pruning, for the network as it is then.
    /// </summary>
    /// <param name="context">The network with its masks, and rows to run through it.</param>
    /// <returns>The scores, by <see cref="ImportanceScores"/>: of weights in one pass, of weights as they are requested, of slices, or of groups.</returns>
    /// <exception cref="InvalidOperationException">The criterion needs calibration rows, and there are none.</exception>
    public ImportanceScores Measure(ImportanceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return MeasureCore(context) ?? throw new InvalidOperationException($"{this} measured null instead of scores.");
    }

    /// <summary>What <see cref="Measure"/> does; the context is not null.</summary>
    /// <inheritdoc cref="Measure"/>
    protected abstract ImportanceScores MeasureCore(ImportanceContext context);
}
