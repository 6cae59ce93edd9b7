using MLNet.Pruning.Messages.Reports;

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

    /// <summary>What the weights that the network has measure; null without validation rows. After an early stop it is not the last epoch's.</summary>
    public ValidationResult? Validation { get; internal init; }

    /// <summary>
    /// What the network that taught this one measures on the same validation rows; null without such rows or a teacher, and where that is no network that reads
    /// the same columns.
    /// </summary>
    public ValidationResult? Teacher { get; internal init; }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, Epochs);

    internal override IReadOnlyList<ReportPart> Parts => [new ReportTable(["epoch", "loss", "validation"],
        [.. Epochs.Select(epoch => (string[])[$"{epoch.Epoch}/{epoch.Epochs}", epoch.Loss.ToString("g5", CultureInfo.InvariantCulture),
            epoch.Validation?.ToString() ?? ""])])];
}
