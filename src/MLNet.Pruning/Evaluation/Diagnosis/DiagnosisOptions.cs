namespace MLNet.Pruning;

/// <summary>How a model is run when it is diagnosed, and what is looked for.</summary>
public sealed record DiagnosisOptions
{
    /// <summary>Rows in a run, as the application scores them. At least 1.</summary>
    /// <value>Default 1.</value>
    public int BatchSize { get; init => field = Setting.AtLeast(1, value); } = 1;

    /// <summary>Threads of a run, as the application scores with. At least 1.</summary>
    /// <value>Default null: as many as such a batch keeps busy, which is what the library scores with.</value>
    public int? Threads { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>What costs less than this share of time or bytes is not reported. In [0, 1).</summary>
    /// <value>Default 0.02.</value>
    public double MinimumShare { get; init => field = Setting.Share(value); } = 0.02;

    /// <summary>What is looked for.</summary>
    /// <value>Default null: everything.</value>
    public IReadOnlyList<FindingKind>? Kinds
    {
        get;
        init => field = value is null ? null : Array.AsReadOnly<FindingKind>([.. value.Select(kind => Setting.Defined(kind, nameof(Kinds)))]);
    }

    /// <summary>Ends the diagnosis.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    internal bool Asks(FindingKind kind) => Kinds?.Contains(kind) != false;
}
