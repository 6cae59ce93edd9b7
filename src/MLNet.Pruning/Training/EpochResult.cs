using System.Globalization;
using System.Text.Json.Serialization;

namespace MLNet.Pruning;

/// <summary>What one epoch of training gave.</summary>
public sealed record EpochResult
{
    [JsonConstructor]
    internal EpochResult(int epoch, int epochs, double loss, ValidationResult? validation)
        => (Epoch, Epochs, Loss, Validation) = (epoch, epochs, loss, validation);

    /// <summary>Number of the epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>Epochs planned.</summary>
    public int Epochs { get; }

    /// <summary>Mean loss over the training rows, while the weights were changing.</summary>
    public double Loss { get; }

    /// <summary>What was measured on the validation rows after the epoch; null without such rows.</summary>
    public ValidationResult? Validation { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}/{Epochs}: loss {Loss:g5}{(Validation is null ? "" : $", validation {Validation}")}");
}

/// <summary>A network measured on the validation rows.</summary>
public sealed record ValidationResult
{
    [JsonConstructor]
    internal ValidationResult(double metric, double loss, LearningTask task)
        => (Metric, Loss, Task) = (metric, loss, task);

    /// <summary>The task's metric, higher is better: accuracy in [0, 1] of a classification, R squared of a regression.</summary>
    public double Metric { get; }

    /// <summary>Mean loss over the rows.</summary>
    public double Loss { get; }

    /// <summary>The task, which says what the metric is.</summary>
    public LearningTask Task { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Task == LearningTask.Regression ? "R2" : "accuracy")} {Metric:0.0000}, loss {Loss:g5}");
}
