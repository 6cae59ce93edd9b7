namespace MLNet.Pruning;

/// <summary>How a network is pruned in a chain, where it can be measured and fine-tuned between the steps of its schedule.</summary>
public record PruningOptions : SelectionOptions
{
    /// <summary>
    /// What makes up for a step before it is measured and fine-tuned, such as <c>Recovery.Reconstruct()</c>. Rewinding goes back behind it, and
    /// leaves of it only a branch of low rank.
    /// </summary>
    /// <value>
    /// Default null: <c>Recovery.Recalibrate()</c> where nothing is fine-tuned, which the report says; nothing where <see cref="FineTuneEpochs"/> or
    /// <see cref="Training"/> train, for training does as much itself. <c>Recovery.None</c> leaves weights as they are.
    /// </value>
    public Recovery? Recovery { get; init; }

    /// <summary>Epochs of fine-tuning after each step, the last included. Not negative.</summary>
    /// <value>Default null: none where the schedule has one step, otherwise 2.</value>
    public int? FineTuneEpochs { get; init => field = Setting.AtLeast(0, value); }

    /// <summary>
    /// Moves the masks during one training of <see cref="FineTuneEpochs"/> epochs (by default as many as the network was trained) instead of
    /// pruning between trainings.
    /// </summary>
    /// <value>Default null: prune between trainings.</value>
    public SparseTraining? Training { get; init; }

    /// <summary>How each step is fine-tuned; its epochs are not used.</summary>
    /// <value>Default null: as the network was trained.</value>
    public TrainingOptions? FineTuning { get; init; }

    /// <summary>Which weights the survivors go back to before each fine-tuning; needs fine-tuning epochs.</summary>
    /// <value>Default <see cref="Rewind.None"/>.</value>
    public Rewind Rewind { get; init => field = Setting.Defined(value); } = Rewind.None;

    /// <summary>What steps are measured by on the validation rows, and what the tolerance and the fine-tuning's early stopping go by.</summary>
    /// <value>Default null: that of the fine-tuning, or else of the network's training, or else the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>
    /// Largest loss of the validation metric, in its direction, against the network before pruning. A step that loses more is taken back and
    /// ends the pruning with the last good network. A number, or <see cref="Tolerance.Confident"/>; needs validation rows.
    /// </summary>
    /// <value>Default null: no limit.</value>
    public Tolerance? Tolerance { get; init; }

    internal override string? OfRows => Recovery is not null ? nameof(Recovery) : OfLabels;

    /// <summary>A setting that takes rows with labels; null for none.</summary>
    internal string? OfLabels => FineTuneEpochs > 0 ? nameof(FineTuneEpochs) : Training is not null
        ? nameof(Training)
        : FineTuning is not null ? nameof(FineTuning) : Rewind != Rewind.None ? nameof(Rewind) : Tolerance is not null ? nameof(Tolerance)
        : Metric is not null ? nameof(Metric) : null;

    internal override void Validate()
    {
        base.Validate();
        Recovery?.Check(Granularity);
        FineTuning?.ValidateWithin("Prune");
        Training?.Check(this);
    }
}
