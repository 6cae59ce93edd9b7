namespace MLNet.Pruning;

/// <summary>A way to prune that <c>PruneOneShot</c> tried, and what it gave on the validation rows.</summary>
public sealed record OneShotCandidate
{
    [JsonConstructor]
    internal OneShotCandidate(string importance, string? recovery, string schedule, ValidationResult? validation, string? reason)
        => (Importance, Recovery, Schedule, Validation, Reason) = (importance, recovery, schedule, validation, reason);

    /// <summary>What chose the weights or structures, as <see cref="MLNet.Pruning.Importance"/> prints.</summary>
    public string Importance { get; }

    /// <summary>What made up for them, as <see cref="MLNet.Pruning.Recovery"/> prints; null where nothing did.</summary>
    public string? Recovery { get; }

    /// <summary>In how many steps, as <see cref="MLNet.Pruning.Schedule"/> prints.</summary>
    public string Schedule { get; }

    /// <summary>The pruned network on the validation rows; null where it could not be pruned so.</summary>
    public ValidationResult? Validation { get; }

    /// <summary>Why it could not be pruned so; null where it could.</summary>
    public string? Reason { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Importance}{(Recovery is null ? "" : $" + {Recovery}")}"
        + $"{(Schedule == MLNet.Pruning.Schedule.OneShot.ToString() ? "" : $", {Schedule}")}: {Validation?.ToString() ?? Reason}";
}
