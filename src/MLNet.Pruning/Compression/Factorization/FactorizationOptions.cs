using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Compression.Factorization;

namespace MLNet.Pruning;

/// <summary>How a network is factorised.</summary>
public record FactorizationOptions
{
    /// <summary>Into which layers a layer is taken apart.</summary>
    /// <value>Default <see cref="Factorizer.DataAwareSvd"/>.</value>
    public Factorizer Factorizer { get; init => field = Setting.Present(value); } = Factorizer.DataAwareSvd;

    /// <summary>How small they become.</summary>
    /// <value>Default <see cref="Rank.Energy"/> of 0.99.</value>
    public Rank Rank { get; init => field = Setting.Present(value); } = Rank.Energy(0.99);

    /// <summary>Which layers; all of them, or only or except those named.</summary>
    /// <value>Default <see cref="Scope.Network"/>.</value>
    public Scope Scope { get; init => field = Setting.Present(value); } = Scope.Network;

    /// <summary>Training rows, drawn by the seed, that outputs of layers are measured on; all where there are fewer. At least 1.</summary>
    /// <value>Default 2,048.</value>
    public int CalibrationRows { get; init => field = Setting.AtLeast(1, value); } = 2048;

    /// <summary>Draws the calibration rows.</summary>
    /// <value>Default null: drawn by the <c>MLContext</c>.</value>
    public int? Seed { get; init; }

    /// <summary>What the report measures on the validation rows before and after.</summary>
    /// <value>Default null: that of the network's training, or else the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>Stops between batches and layers with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What they say to the plan.</summary>
    internal FactorizationStep Step => new() { Scope = Scope, Count = CalibrationRows, CancellationToken = CancellationToken };

    /// <summary>The options themselves, once they are known to go together.</summary>
    internal FactorizationOptions Checked()
    {
        RatioSpace.Check(Granularity.Weight, Scope);
        return this;
    }
}
