using System.Globalization;

namespace MLNet.Pruning;

/// <summary>What one epoch of training gave.</summary>
/// <param name="Epoch">Number of the epoch, from 1.</param>
/// <param name="Epochs">Epochs planned.</param>
/// <param name="Loss">Mean loss over the training rows, while the weights were changing.</param>
/// <param name="Validation">What was measured on the validation rows after the epoch; null without such rows.</param>
public sealed record EpochResult(int Epoch, int Epochs, double Loss, ValidationResult? Validation)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}/{Epochs}: loss {Loss:g5}{(Validation is null ? "" : $", validation {Validation}")}");
}

/// <summary>A network measured on the validation rows.</summary>
/// <param name="Metric">The task's metric, higher is better: accuracy in [0, 1] of a classification, R squared of a regression.</param>
/// <param name="Loss">Mean loss over the rows.</param>
/// <param name="Task">The task, which says what the metric is.</param>
public sealed record ValidationResult(double Metric, double Loss, LearningTask Task)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Task == LearningTask.Regression ? "R2" : "accuracy")} {Metric:0.0000}, loss {Loss:g5}");
}
