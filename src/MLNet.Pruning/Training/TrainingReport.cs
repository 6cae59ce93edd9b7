namespace MLNet.Pruning;

/// <summary>What a training did; prints a line an epoch.</summary>
public sealed record TrainingReport : StepReport
{
    internal TrainingReport(IReadOnlyList<EpochResult> epochs) => Epochs = epochs;

    /// <summary>
    /// The epochs in turn. Early stopping ends them <see cref="TrainingOptions.EarlyStoppingPatience"/> epochs after the best, whose weights the
    /// network has.
    /// </summary>
    public IReadOnlyList<EpochResult> Epochs { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, Epochs);
}
