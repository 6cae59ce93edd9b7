namespace MLNet.Pruning;

/// <summary>What of a network is compared, and by what: the settings that steps which choose weights or structures have in common.</summary>
public abstract record CriterionOptions
{
    private protected CriterionOptions()
    {
    }

    /// <summary>How important a weight or structure is.</summary>
    /// <value>Default <see cref="Importance.L1"/>.</value>
    public Importance Importance { get; init => field = Setting.Present(value); } = Importance.L1;

    /// <summary>What is pruned as one: a weight or a structure.</summary>
    /// <value>Default <see cref="Granularity.Weight"/>.</value>
    public Granularity Granularity { get; init => field = Setting.Present(value); } = Granularity.Weight;

    /// <summary>Which weights, and compared among what.</summary>
    /// <value>Default <see cref="Scope.Network"/>.</value>
    public Scope Scope { get; init => field = Setting.Present(value); } = Scope.Network;

    /// <summary>How the importance of a group that is removed follows from its members.</summary>
    /// <value>Default <see cref="GroupImportance.Mean"/>.</value>
    public GroupImportance GroupReduction { get; init => field = Setting.Defined(value); } = GroupImportance.Mean;

    /// <summary>Stops between two steps of the work, or of training, with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }
}
