namespace MLNet.Pruning;

/// <summary>What a <see cref="CompressionReport"/> says beside what the model knows.</summary>
public sealed record CompressionReportOptions
{
    /// <summary>Its title.</summary>
    public string Title { get; init => field = Setting.Named(value, nameof(Title)); } = "Compression report";

    /// <summary>What the model is for and what it was trained on, for the reader of the report; null for nothing.</summary>
    public string? Description { get; init; }

    /// <summary>What each layer alone tolerates, as <see cref="CompressionCatalog.Sensitivity"/> measured it; null leaves it out.</summary>
    public SensitivityReport? Sensitivity { get; init; }

    /// <summary>Whether every network is timed on this machine: some tenths of a second each.</summary>
    public bool Latency { get; init; } = true;

    /// <summary>Stops between networks with an <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken CancellationToken { get; init; }
}
