using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>How a network is factorised, whatever into.</summary>
internal sealed record FactorizationStep
{
    /// <summary>Which layers.</summary>
    public Scope Scope { get; init; } = Scope.Network;

    /// <summary>Weights that were pruned.</summary>
    public ImmutableDictionary<string, WeightMask> Masks { get; init; } = ImmutableDictionary<string, WeightMask>.Empty;

    /// <summary>Rows for libtorch; null where there are none.</summary>
    public Func<CalibrationData>? Calibration { get; init; }

    /// <summary>How many of them are looked at.</summary>
    public int Count { get; init; } = int.MaxValue;

    /// <summary>Measures a network on validation rows; gives null without such rows.</summary>
    public Func<Network, ValidationResult?> Measure { get; init; } = _ => null;

    public CancellationToken CancellationToken { get; init; }
}
