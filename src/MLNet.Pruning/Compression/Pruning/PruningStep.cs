using System.Globalization;

namespace MLNet.Pruning;

/// <summary>What one step of a pruning schedule gave.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="Steps">Steps planned.</param>
/// <param name="Sparsity">Share of the weights in scope that are zero, in [0, 1).</param>
/// <param name="NonZeros">Weights in scope that are left.</param>
/// <param name="Pruned">Measured on the validation rows right after pruning; null without such rows.</param>
/// <param name="FineTuned">Measured after the step's fine-tuning; null without fine-tuning or without validation rows.</param>
/// <param name="Kept">False where the metric fell by more than the tolerance, so that the step was taken back.</param>
public sealed record PruningStep(int Step, int Steps, double Sparsity, long NonZeros, ValidationResult? Pruned, ValidationResult? FineTuned, bool Kept)
{
    /// <summary>The step's last measurement.</summary>
    public ValidationResult? Validation => FineTuned ?? Pruned;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"step {Step}/{Steps}: sparsity {Sparsity:0.0000}, {NonZeros} weights left")
        + (Pruned is null ? "" : $", validation {Pruned}") + (FineTuned is null ? "" : $", fine-tuned {FineTuned}") + (Kept ? "" : ", taken back");
}

/// <summary>What a pruning gave.</summary>
/// <param name="Before">The network before pruning on the validation rows; null without such rows.</param>
/// <param name="Steps">The steps in turn; only the last may be one that was taken back.</param>
public sealed record PruningReport(ValidationResult? Before, IReadOnlyList<PruningStep> Steps)
{
    /// <summary>Whether a step was taken back because the metric fell by more than the tolerance.</summary>
    public bool StoppedEarly => Steps.Any(step => !step.Kept);

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, Steps);
}
