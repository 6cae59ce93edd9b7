namespace MLNet.Pruning.Data;

/// <summary>A network that scores rows: what the annotation of its Score column tells of it.</summary>
internal record ScoredNetwork
{
    public required Network Network { get; init; }

    public required LearningTask Task { get; init; }

    /// <summary>The columns that the network reads.</summary>
    public required NetworkInputs Inputs { get; init; }

    /// <summary>The key values of the label; null where it has none.</summary>
    public required LabelKeys? Keys { get; init; }
}
