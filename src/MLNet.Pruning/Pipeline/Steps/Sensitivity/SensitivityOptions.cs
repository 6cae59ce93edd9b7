using MLNet.Pruning.Compression.Automation.Search;

namespace MLNet.Pruning;

/// <summary>How the sensitivity of layers is measured.</summary>
public record SensitivityOptions : CriterionOptions
{
    /// <summary>
    /// Shares of its weights or structures in the dense network that each layer loses in turn, all others left whole; the last one always stays.
    /// </summary>
    /// <value>Default 0.1, 0.2, ..., 0.9. Each in [0, 1).</value>
    /// <exception cref="ArgumentException">None, or one outside [0, 1).</exception>
    public IReadOnlyList<double> Sparsities { get; init => field = RatioSpace.Copy(value); } = RatioSpace.Copy(RatioSpace.DefaultSparsities);

    /// <summary>What is measured on the validation rows.</summary>
    /// <value>Default null: that of the network's training, or else the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>Rows run at a time. At least 1.</summary>
    /// <value>Default null: as in the network's training.</value>
    public int? BatchSize { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>Seed of calibration rows, for importances that need some.</summary>
    /// <value>Default null: that of the split of the rows.</value>
    public int? Seed { get; init; }

    /// <summary>Called with every layer that is done, on the thread that measures.</summary>
    /// <value>Default null.</value>
    public IProgress<LayerSensitivity>? Progress { get; init; }

    /// <summary>The part of the options that says which weights or structures go; widths are exact.</summary>
    internal SelectionOptions Selection => new()
    {
        Granularity = Granularity, Importance = Importance, Scope = Scope, GroupReduction = GroupReduction, Alignment = 1,
        CancellationToken = CancellationToken,
    };

    internal void Validate()
    {
        Selection.Validate();
        RatioSpace.Check(Granularity, Scope);
    }
}
