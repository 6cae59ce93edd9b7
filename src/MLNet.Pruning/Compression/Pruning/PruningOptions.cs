namespace MLNet.Pruning;

/// <summary>How a network is pruned.</summary>
public class PruningOptions
{
    /// <summary>Target of the pruning, counted over all pieces of each pool in scope, those dropped earlier included.</summary>
    /// <value>Default half. Shares lie in [0, 1).</value>
    public Amount Amount { get; set; } = Amount.Fraction(0.5);

    /// <summary>What a piece is worth.</summary>
    /// <value>Default <see cref="Importance.L1"/>.</value>
    public Importance Importance { get; set; } = Importance.L1;

    /// <summary>What a piece is.</summary>
    /// <value>Default <see cref="Granularity.Weight"/>.</value>
    public Granularity Granularity { get; set; } = Granularity.Weight;

    /// <summary>Which weights, and compared among what.</summary>
    /// <value>Default <see cref="Scope.Network"/>.</value>
    public Scope Scope { get; set; } = Scope.Network;

    /// <summary>How the importance of a group that is removed follows from its members.</summary>
    /// <value>Default <see cref="GroupImportance.Mean"/>.</value>
    public GroupImportance Group { get; set; } = GroupImportance.Mean;

    /// <summary>
    /// Whether the importance of groups is divided by the mean of their layer before layers are compared; layers of different fan-in have
    /// weights of different size.
    /// </summary>
    /// <value>Default true.</value>
    public bool Normalize { get; set; } = true;

    /// <summary>
    /// Widths that removal leaves are rounded to the nearest multiple, at least one; 1 keeps them exact. Runtimes compute dense convolutions
    /// in blocks of channels: 100 of them take as long as 112, and more than 96.
    /// </summary>
    /// <value>Default null: 16 for layers made by dense convolutions of at least 16 filters, otherwise 1.</value>
    public int? Alignment { get; set; }

    /// <summary>How fast.</summary>
    /// <value>Default <see cref="Schedule.OneShot"/>.</value>
    public Schedule Schedule { get; set; } = Schedule.OneShot;

    /// <summary>Epochs of fine-tuning after each step, the last included. Not negative.</summary>
    /// <value>Default null: none where the schedule has one step, otherwise 2.</value>
    public int? FineTuneEpochs { get; set; }

    /// <summary>How each step is fine-tuned; its epochs are not used.</summary>
    /// <value>Default null: as the network was trained.</value>
    public TrainingOptions? FineTuning { get; set; }

    /// <summary>Which weights the survivors go back to before each fine-tuning; needs fine-tuning epochs.</summary>
    /// <value>Default <see cref="Rewind.None"/>.</value>
    public Rewind Rewind { get; set; } = Rewind.None;

    /// <summary>
    /// Largest fall of the validation metric below that of the network before pruning. A step that falls deeper is taken back and
    /// ends the pruning with the last good network. Not negative; needs validation rows.
    /// </summary>
    /// <value>Default null: no limit.</value>
    public double? Tolerance { get; set; }

    /// <summary>Stops the pruning between two steps of pruning or training with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; set; }

    /// <summary>Told after every step, on the thread that prunes.</summary>
    /// <value>Default null. The same lines go to <c>MLContext.Log</c>.</value>
    public IProgress<PruningStep>? Progress { get; set; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Amount, nameof(Amount));
        ArgumentNullException.ThrowIfNull(Importance, nameof(Importance));
        ArgumentNullException.ThrowIfNull(Granularity, nameof(Granularity));
        ArgumentNullException.ThrowIfNull(Scope, nameof(Scope));
        ArgumentNullException.ThrowIfNull(Schedule, nameof(Schedule));
        ArgumentOutOfRangeException.ThrowIfNegative(FineTuneEpochs ?? 0, nameof(FineTuneEpochs));
        ArgumentOutOfRangeException.ThrowIfLessThan(Alignment ?? 1, 1, nameof(Alignment));
        if (!Enum.IsDefined(Group))
        {
            throw new ArgumentOutOfRangeException(nameof(Group), Group, "No such way to sum up a group.");
        }

        if (Amount.Budget is not null && !Granularity.IsStructural)
        {
            throw new ArgumentException($"The amount {Amount} needs pieces that are removed; those of granularity '{Granularity}' are set to zero.", nameof(Amount));
        }

        FineTuning?.Validate();
        if (Tolerance is not (null or >= 0))
        {
            throw new ArgumentOutOfRangeException(nameof(Tolerance), Tolerance, "The tolerance is a number of at least 0.");
        }
    }
}
