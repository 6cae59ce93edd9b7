using MLNet.Pruning.Compression.Pruning.SparseTrainings;

namespace MLNet.Pruning;

public abstract partial class SparseTraining
{
    /// <summary>
    /// Masks tighten by the schedule; what is dropped stays dropped (Zhu &amp; Gupta 2017, with <see cref="Schedule.Cubic"/>). With
    /// <see cref="Importance.Movement"/> the movement is that of this very training (Sanh et al. 2020).
    /// </summary>
    /// <param name="every">Steps between two changes; at least 1.</param>
    /// <param name="until">Share of the training in which masks move, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SparseTraining Gradual(int every = 100, double until = 0.75) => new GradualTraining(every, until);

    /// <summary>
    /// Soft pruning (He et al. 2018, "Soft Filter Pruning"): at each change the least important weights or structures are set to zero and trained on like all
    /// others, so that they may come back; with the last change they are dropped for good. Structures that are removed are removed at the end.
    /// </summary>
    /// <inheritdoc cref="Gradual"/>
    public static SparseTraining Soft(int every = 500, double until = 0.75) => new SoftTraining(every, until);

    /// <summary>
    /// Dynamic network surgery (Guo et al. 2016): the network runs with its masks, but the gradient at the masked weights changes dropped ones
    /// too, and each change of the masks chooses among all weights, so that what turns out to matter is spliced in again. The shares come from
    /// the amount and the schedule instead of the paper's two thresholds (as in Lin et al. 2020, "Dynamic Model Pruning with Feedback").
    /// </summary>
    /// <inheritdoc cref="Gradual"/>
    public static SparseTraining Surgery(int every = 16, double until = 0.75) => new SurgeryTraining(every, until);

    /// <summary>
    /// RigL (Evci et al. 2020): at the target sparsity from the start; each change drops the smallest weights of every layer and grows as many
    /// where the loss has the largest gradient. Starts from the masks there are, or from those that the other options make, such as
    /// <see cref="Importance.Random"/> with an Erdos-Renyi distribution.
    /// </summary>
    /// <param name="fraction">Share of a layer's weights that changes at first, in (0, 1); falls to nothing by half a cosine.</param>
    /// <param name="every">Steps between two changes; at least 1.</param>
    /// <param name="until">Share of the training in which masks move, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SparseTraining RigL(double fraction = 0.3, int every = 100, double until = 0.75)
        => new DropAndGrowTraining(fraction, every, until, byGradient: true);

    /// <summary>SET (Mocanu et al. 2018): as <see cref="RigL"/>, but weights grow at random.</summary>
    /// <inheritdoc cref="RigL"/>
    public static SparseTraining Set(double fraction = 0.3, int every = 100, double until = 0.75)
        => new DropAndGrowTraining(fraction, every, until, byGradient: false);

    /// <summary>
    /// L0 regularisation (Louizos, Welling &amp; Kingma 2018): every weight, or structure, has a hard concrete gate that is learned beside it under
    /// a penalty on the expected number of open gates. At the end of <paramref name="until"/> gates are set to their means and the amount of
    /// weights or structures whose gates are the least open is dropped.
    /// </summary>
    /// <param name="strength">Penalty on a weight whose gate is open; not negative. The paper's lambda, as a factor on the mean loss.</param>
    /// <param name="learningRate">Step size of the gates' Adam; above 0.</param>
    /// <param name="until">Share of the training in which gates are learned, in (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SparseTraining L0(double strength = 1e-6, double learningRate = 0.02, double until = 0.6)
        => new HardConcreteTraining(strength, learningRate, until);

    /// <summary>
    /// Sparse variational dropout (Molchanov, Ashukha &amp; Vetrov 2017): every weight has noise of a size that is learned beside it, under the
    /// divergence to a log-uniform prior; at the end of <paramref name="until"/> the amount of weights with the most noise is dropped. The noise is
    /// drawn once a step for all its rows. Single weights.
    /// </summary>
    /// <param name="strength">Factor on the divergence divided by the number of training rows; not negative. 1 is the variational bound.</param>
    /// <param name="learningRate">Step size of the noise's Adam; above 0.</param>
    /// <param name="until">Share of the training in which noise is learned, in (0, 1]; the divergence sets in over the first third of it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static SparseTraining VariationalDropout(double strength = 1, double learningRate = 1e-3, double until = 0.6)
        => new VariationalDropoutTraining(strength, learningRate, until);
}
