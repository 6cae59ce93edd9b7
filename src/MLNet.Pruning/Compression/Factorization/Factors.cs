namespace MLNet.Pruning.Compression.Factorization;

/// <summary>The weights of the layers that take the place of another.</summary>
/// <param name="Values">In row-major order, by layer.</param>
/// <param name="Kept">Share of the energy that they keep of what was to be approximated.</param>
internal sealed record Factors(IReadOnlyList<float[]> Values, double Kept)
{
    /// <summary>What each output is shifted by; null for nothing.</summary>
    public double[]? Shift { get; init; }
}
