namespace MLNet.Pruning;

/// <summary>How a network is trained or fine-tuned.</summary>
public record TrainingOptions
{
    private (int From, int Of)? _tail;

    /// <summary>Passes over the training rows. At least 1.</summary>
    /// <value>Default 20.</value>
    public int Epochs { get; init => field = Setting.AtLeast(1, value); } = 20;

    /// <summary>Rows in a step. At least 1.</summary>
    /// <value>Default 64.</value>
    public int BatchSize { get; init => field = Setting.AtLeast(1, value); } = 64;

    /// <summary>Step size; above 0.</summary>
    /// <value>Default 0.001, which suits Adam; SGD wants about ten times that.</value>
    public double LearningRate { get; init => field = Setting.Positive(value); } = 1e-3;

    /// <summary>How the learning rate changes over the training.</summary>
    /// <value>Default <see cref="LearningRateSchedule.Constant"/>.</value>
    public LearningRateSchedule LearningRateSchedule { get; init => field = Setting.Present(value); } = LearningRateSchedule.Constant;

    /// <summary>How gradients become changes of the weights.</summary>
    /// <value>Default <see cref="Optimizer.Adam"/>.</value>
    public Optimizer Optimizer { get; init => field = Setting.Present(value); } = Optimizer.Adam();

    /// <summary>What is minimised.</summary>
    /// <value>Default the task's own.</value>
    public Loss Loss { get; init => field = Setting.Defined(value); } = Loss.Default;

    /// <summary>What is measured on the validation rows after each epoch, and what early stopping and later steps of the chain go by.</summary>
    /// <value>Default null: the task's own, <see cref="Metric.Accuracy"/> or <see cref="Metric.RSquared"/>.</value>
    public Metric? Metric { get; init; }

    /// <summary>Weight decay: L2 for SGD and Adam, decoupled for AdamW. Not negative.</summary>
    /// <value>Default 0.</value>
    public double WeightDecay { get; init => field = Setting.NotNegative(value); }

    /// <summary>A penalty on weights that is added to the loss, such as <c>Regularization.L1(1e-4)</c>.</summary>
    /// <value>Default null: none.</value>
    public Regularization? Regularization { get; init; }

    /// <summary>Small weights are left out of some steps, so that the network does not come to rely on what is pruned later.</summary>
    /// <value>Default null: none are.</value>
    public TargetedDropout? TargetedDropout { get; init; }

    /// <summary>
    /// How the network learns from a teacher beside the labels. Where the distillation names none, the teacher of <c>ml.Transforms.Distill</c>
    /// and of a trainer is the model before it in the chain, of later steps the network as it was before it was first pruned.
    /// </summary>
    /// <value>Default null: from the labels alone.</value>
    public Distillation? Distillation { get; init; }

    /// <summary>Changes to every row each time it is trained on. A teacher sees the rows as they are changed.</summary>
    /// <value>Default null: rows stay as they are.</value>
    public Augmentation? Augmentation { get; init; }

    /// <summary>
    /// Rounds in each forward pass what <see cref="T:MLNet.Pruning.Quantizer"/> rounds in the end, and learns the steps between integers: quantisation-aware
    /// training. Of <c>Quantizer.Int8</c> and symmetric <c>Quantizer.Weights</c>. The network stays one of floats, batch normalisation folded where the
    /// quantiser folds it; a <c>Quantize</c> of the same quantiser that comes next in the chain, rounds to the nearest and measures nothing of its own else,
    /// takes the steps that were learned. A trainer and <c>Distill</c> train floats for the first half of the epochs, so that ranges are those of a network
    /// that has learned something (Jacob et al. 2018); <c>FineTune</c> rounds from the first epoch on. Of this step alone: later ones do not take it over.
    /// Not of a fine-tuning within a pruning.
    /// </summary>
    /// <value>Default null: nothing is rounded.</value>
    public TrainableQuantizer? Quantization { get; init; }

    /// <summary>Trains only the last so many layers that have parameters; the others stay as they are. At least 1, and at most as many as there are.</summary>
    /// <value>Default null: all layers.</value>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1.</exception>
    public int? LastLayers { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>Largest Euclidean norm of a step's gradient over all parameters; longer ones are scaled down. Above 0.</summary>
    /// <value>Default null: no clipping.</value>
    public double? GradientClipping { get; init => field = value is { } limit ? Setting.Positive(limit) : null; }

    /// <summary>
    /// Stop after so many epochs without a better validation metric, and restore the best weights. Needs validation rows.
    /// </summary>
    /// <value>Default null: train all epochs, keep the last weights.</value>
    public int? EarlyStoppingPatience { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>Seed of initial weights, order of rows and dropout. Same seed, same machine, same number of threads: same bits.</summary>
    /// <value>Default null: drawn from the MLContext, so <c>new MLContext(seed)</c> fixes it too.</value>
    public int? Seed { get; init; }

    /// <summary>Stops the training between two steps with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Called after every epoch of this step, on the training thread.</summary>
    /// <value>Default null. The same lines go to <c>MLContext.Log</c>.</value>
    public IProgress<EpochResult>? Progress { get; init; }

    /// <summary>The defaults.</summary>
    public TrainingOptions()
    {
    }

    /// <summary>Refuses settings that do not go together, by name.</summary>
    internal virtual void Validate()
    {
        if (Quantization is not null && LastLayers is not null)
        {
            throw new ArgumentException($"What rounds between layers is trained with all of them: leave out one of {nameof(Quantization)} and "
                + $"{nameof(LastLayers)}.", nameof(LastLayers));
        }
    }

    /// <summary>Refuses settings that do not go together, for epochs within another step.</summary>
    internal void ValidateWithin(string step)
    {
        Validate();
        if (Quantization is not null)
        {
            throw new ArgumentException($"The fine-tuning of {step} does not round: leave out {nameof(Quantization)}, and train with it in a FineTune behind "
                + "it, or with the epochs of Quantize.", nameof(Quantization));
        }
    }

    /// <summary>A copy for a later step of the chain, whose epochs are not the trainer's to report.</summary>
    internal TrainingOptions ForLaterStep() => this with { Progress = null, Quantization = null };

    /// <summary>A copy with other values where given.</summary>
    internal TrainingOptions With(int? epochs = null, double? learningRate = null, CancellationToken cancellation = default, Metric? metric = null) => this with
    {
        Epochs = epochs ?? Epochs,
        LearningRate = learningRate ?? LearningRate,
        CancellationToken = cancellation.CanBeCanceled ? cancellation : CancellationToken,
        Metric = metric ?? Metric,
    };

    /// <summary>A copy whose learning rate runs through the end of the schedule once more, instead of through all of it (Renda et al. 2020).</summary>
    /// <param name="epochs">Epochs to train, at most those of the schedule.</param>
    internal TrainingOptions Tail(int epochs) => With(epochs) with { _tail = (Math.Max(0, Epochs - epochs), Math.Max(Epochs, epochs)) };

    /// <summary>A copy whose learning rate runs through the start of the schedule.</summary>
    /// <param name="epochs">Epochs to train, at most those of the schedule.</param>
    internal TrainingOptions Head(int epochs) => With(epochs) with { _tail = (0, Epochs) };

    /// <summary>Factor on the learning rate after so many epochs.</summary>
    internal double RateFactor(double epoch, int stepsPerEpoch) => _tail is { } tail
        ? LearningRateSchedule.Factor(tail.From + epoch, tail.Of, stepsPerEpoch)
        : LearningRateSchedule.Factor(epoch, Epochs, stepsPerEpoch);
}
