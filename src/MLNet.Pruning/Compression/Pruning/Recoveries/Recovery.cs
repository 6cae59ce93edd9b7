using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Pruning.Recoveries;

namespace MLNet.Pruning;

/// <summary>
/// Changes the weights that a step of pruning left so that they make up for what it took, before any fine-tuning. Combined in order:
/// <c>Recovery.MergeNearest().Then(Recovery.Reconstruct())</c>. A recovery of your own derives from this class.
/// </summary>
/// <example>
/// Biases of a layer that make up for the mean of what its dropped weights added:
/// <code>
/// sealed class MeanToBias(string layer) : Recovery
/// {
///     protected override PrunedNetwork RecoverCore(RecoveryStep step)
///     {
///         var shift = Mean(step, step.Before) - Mean(step, step.After);
///         var bias = step.After.Network[$"{layer}.bias"].Values.ToArray();
///         return step.After.With($"{layer}.bias", bias.Zip(shift.data&lt;float&gt;(), (value, change) =&gt; value + change).ToArray());
///     }
///
///     // What the layer puts out for a row on average.
///     private Tensor Mean(RecoveryStep step, PrunedNetwork network)
///     {
///         using var run = step.Start(nameof(MeanToBias), network, rows: 1000);
///         var mean = torch.zeros(network.Network[$"{layer}.bias"].Count);
///         run.ForEachBatch((rows, targets, share) =&gt; run.Forward(rows, (node, find) =&gt;
///         {
///             if (node.Name == layer)
///             {
///                 mean.add_(find(node.Outputs[0]).detach().mean([0]) * share);
///             }
///         }));
///         return mean;
///     }
/// }
/// </code>
/// </example>
public abstract class Recovery
{
    /// <summary>For a recovery of your own.</summary>
    protected Recovery()
    {
    }

    /// <summary>Nothing: weights stay as they are.</summary>
    public static Recovery None { get; } = new NoRecovery();

    /// <summary>
    /// Least squares, layer by layer from the input on: every dense layer and convolution that lost inputs or weights gets the weights and the bias with
    /// which it comes nearest to what it computed before the step, fed with what the smaller network now gives it (Luo et al. 2017, "ThiNet"; He, Zhang
    /// &amp; Sun 2017, "Channel Pruning for Accelerating Very Deep Neural Networks"). Of layers whose outputs only go into a sum, as in a residual block,
    /// the last one comes nearest to that sum, so that it makes up for what the other branch lost too (He, Zhang &amp; Sun, section 3.2). In front of batch
    /// normalisation, the running mean takes the place of a bias. Inputs are measured by running the rows, so that whatever stands between two layers is
    /// taken into account. Dropped weights stay zero; weights that several layers share stay as they are.
    /// </summary>
    /// <param name="rows">
    /// Calibration rows, taken from the training rows; at least 1. Memory grows with the square of a layer's inputs, not with the rows.
    /// </param>
    /// <param name="damping">
    /// How strongly weights are held where they are, as a share of the mean second moment of the layer's inputs; above 0. What the rows do not
    /// determine stays as it is. Null chooses one of 1e-4, 1e-3, 0.01, 0.1 and 1 for each layer: that with which three quarters of the rows leave the least
    /// error on the others; a layer that each would make worse there stays as it is.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>
    /// Cost: for each layer a pass of the rows through both networks, inputs^3 / 6 multiply-adds where all units keep the same inputs, and as much
    /// for each unit where its weights were dropped one by one; of a grouped convolution, for each group. Choosing the damping costs as much again for up to
    /// 64 units five times. A layer of more than 4,096 inputs is fitted in parts of so many, each to what those before it leave. What is held at most is told
    /// in
    /// <c>MLContext.Log</c> before, and refused where the machine has less.
    /// </remarks>
    /// <example>
    /// Half of the filters and units, without any training:
    /// <code>
    /// var half = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.Prune(new PruningOptions
    /// {
    ///     Granularity = Granularity.Unit,
    ///     Scope = Scope.Layer,
    ///     Recovery = Recovery.Reconstruct(rows: 512),
    /// })).Fit(data);
    /// </code>
    /// </example>
    public static Recovery Reconstruct(int rows = CalibratedImportance.DefaultRows, double? damping = 0.01) => new ReconstructRecovery(rows, damping);

    /// <summary>
    /// Gives what read a removed unit to the unit most similar to it: in every dense layer and convolution of one group that read both, the weights
    /// from the removed unit times s are added to those from the other, where s x is nearest to the removed unit's values (Srinivas &amp; Babu
    /// 2015, "Data-free Parameter Pruning for Deep Neural Networks"; Kim et al. 2020, "Neuron Merging"). Similarity is the cosine of what the layer
    /// reads of both, measured by running the rows, so that activation, normalisation and pooling between are taken into account. For weights or structures
    /// that are removed.
    /// </summary>
    /// <param name="rows">
    /// Calibration rows, taken from the training rows; at least 1. Memory grows with the square of a layer's inputs, not with the rows.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is below 1.</exception>
    public static Recovery MergeNearest(int rows = CalibratedImportance.DefaultRows) => new MergeNearestRecovery(rows);

    /// <summary>
    /// Newton's method, layer by layer from the input on: the weights and the bias of every layer that lost inputs or weights are changed so that what the
    /// network computes some layers further on comes nearest to what it was before the step, whatever activations, normalisations and sums lie between (Lucas
    /// &amp; Mazumder 2025, "Preserving Deep Representations in One-Shot Pruning: A Hessian-Free Second-Order Optimization Framework", SNOWS). The directions
    /// come from conjugate gradients with the Gauss-Newton matrix, which is never formed; a step is halved until the sum falls, and a quarter of the rows is
    /// held back: where they gain nothing, the step is not taken. So no layer's error grows on the rows. Dropped weights stay zero; weights that several layers
    /// share stay as they are. For weights or structures of any kind, set to zero or removed.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1. The more there are, the less they are learned by heart.</param>
    /// <param name="layersOn">
    /// Layers with weights between a layer and the tensor that is compared, at least 0: 0 compares what the layer itself gives, as <see cref="Reconstruct"/>
    /// does. Where paths part, as around a residual block, the first tensor after so many that all of them go through; the logits where there are fewer.
    /// </param>
    /// <param name="ridge">How strongly weights are held where they are, as a share of the mean of the matrix's diagonal; above 0.</param>
    /// <param name="steps">Steps for a layer at most; at least 1. Stops earlier where the rows held back gain nothing any more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <remarks>
    /// Best behind <see cref="Reconstruct"/>, as in the example: from what is left of a network that lost much the way down is long, and leads elsewhere. Cost:
    /// for a layer and step up to 50 products with the matrix, each of some four passes of the rows from the layer to the tensor compared, or of seven from the
    /// input where what is computed between is too much to be kept (256 MB). Memory: that, the rows, and the tensor compared for all of them.
    /// </remarks>
    /// <example>
    /// Two of four weights, without any training:
    /// <code>
    /// var sparse = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.Prune(new PruningOptions
    /// {
    ///     Granularity = Granularity.NToM(2, 4),
    ///     Importance = Importance.Wanda(),
    ///     FineTuneEpochs = 0,
    ///     Recovery = Recovery.Reconstruct(rows: 2000).Then(Recovery.Newton(rows: 2000)),
    /// })).Fit(data);
    /// </code>
    /// </example>
    public static Recovery Newton(int rows = 1000, int layersOn = 2, double ridge = 0.01, int steps = 5)
        => new NewtonRecovery(rows, layersOn, ridge, steps);

    /// <summary>
    /// Fills the dropped weights of dense layers and convolutions of one group from a matrix of low rank: the layer becomes S + U V, where U V is fitted
    /// to the dropped weights and S, which keeps its zeros, is such that at the others the sum is what the weight was (Yu et al. 2017, "On Compressing
    /// Deep Models by Low Rank and Sparse Decomposition"; Li et al. 2023, "LoSparse"). U and V are two small layers beside the sparse one, named
    /// <c>fc1.lowrank.u</c> and <c>fc1.lowrank.v</c>: trained, saved and measured as any other. A layer in which they would take as many weights
    /// as were dropped is left alone. For weights or structures that are set to zero.
    /// </summary>
    /// <param name="rank">Rank of the fit, at least 1; costs rank x (inputs + outputs) weights a layer.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rank"/> is below 1.</exception>
    public static Recovery LowRank(int rank) => new LowRankRecovery(rank);

    /// <summary>
    /// Measures anew what a network knows of its activations: running means and variances of batch normalisation become those of calibration rows (Li et al.
    /// 2020, "EagleEye"), and dense layers and convolutions without batch normalisation behind them are scaled and shifted unit by unit to the means and
    /// variances that they had before the step (Jordan et al. 2023, "REPAIR"). In the order of the graph, each layer fed with what those before it give when
    /// they are corrected. Dropped weights stay zero. Warns where the statistics of the network before the step are far from its running ones, as with rows
    /// unlike those that it was trained on: a channel's mean by more than 3 running standard deviations, or its variance by a factor of more than 10.
    /// </summary>
    /// <param name="rows">Calibration rows, taken from the training rows; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is below 1.</exception>
    /// <remarks>
    /// Cost: one forward pass of the rows through both networks, at once where the largest tensor takes no more than 128 MB, else in batches, each of which is
    /// corrected by itself on its way. What reads the same as before stays as it is; so do layers without a bias or with one that others read too, and
    /// the variance of a channel that is constant on the rows. A unit is scaled by a factor from 0.2 to 5. Not for what <see cref="Reconstruct"/> gives, whose
    /// units are smaller where the inputs that are left do not say enough: scaled back, they are wrong by more.
    /// </remarks>
    /// <example>
    /// <code>
    /// var pruned = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.Prune(new PruningOptions
    /// {
    ///     Amount = Amount.Fraction(0.6),
    ///     Recovery = Recovery.Recalibrate(rows: 1000),
    /// })).Fit(data);
    /// </code>
    /// </example>
    public static Recovery Recalibrate(int rows = CalibratedImportance.DefaultRows) => new RecalibrateRecovery(rows);

    /// <summary>This one, and then another one on what it gives.</summary>
    /// <param name="next">The other one.</param>
    public Recovery Then(Recovery next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new RecoverySequence(this, next);
    }

    /// <summary>Refuses options it has nothing to do under.</summary>
    /// <exception cref="ArgumentException">Names both.</exception>
    internal virtual void Check(Granularity granularity)
    {
    }

    /// <summary>What is left after the step, with other weights.</summary>
    /// <param name="step">What the step did, and rows to run.</param>
    /// <returns>The network after the step, changed by <see cref="PrunedNetwork.With"/>, which keeps its masks.</returns>
    /// <exception cref="InvalidOperationException">The recovery needs rows, and there are none.</exception>
    public PrunedNetwork Recover(RecoveryStep step)
    {
        ArgumentNullException.ThrowIfNull(step);
        return RecoverCore(step) ?? throw new InvalidOperationException($"{this} returned null instead of a network.");
    }

    /// <summary>What <see cref="Recover"/> does; the step is not null.</summary>
    /// <inheritdoc cref="Recover"/>
    protected abstract PrunedNetwork RecoverCore(RecoveryStep step);

    private sealed class NoRecovery : Recovery
    {
        public override string ToString() => nameof(None);

        protected override PrunedNetwork RecoverCore(RecoveryStep step) => step.After;
    }

    /// <summary>One after another.</summary>
    private sealed class RecoverySequence(Recovery first, Recovery second) : Recovery
    {
        public override string ToString() => $"{first}.{nameof(Then)}({second})";

        internal override void Check(Granularity granularity)
        {
            first.Check(granularity);
            second.Check(granularity);
        }

        protected override PrunedNetwork RecoverCore(RecoveryStep step) => second.Recover(step.With(first.Recover(step)));
    }
}
