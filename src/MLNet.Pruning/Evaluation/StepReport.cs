namespace MLNet.Pruning;

/// <summary>
/// What a step of a chain did: <see cref="TrainingReport"/>, <see cref="PruningReport"/>, <see cref="AutoPruneReport"/>,
/// <see cref="QuantizationReport"/>, <see cref="FactorizationReport"/> or <see cref="TreePruningReport"/>. Prints as text.
/// </summary>
public abstract record StepReport
{
    private protected StepReport()
    {
    }

    /// <summary>What the step did, as text of several lines.</summary>
    public abstract override string ToString();
}
