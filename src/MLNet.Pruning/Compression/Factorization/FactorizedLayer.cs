namespace MLNet.Pruning;

/// <summary>What a factorisation did to a layer.</summary>
public sealed record FactorizedLayer
{
    [JsonConstructor]
    internal FactorizedLayer(string layer, string? factorizer, string? rank, long parametersBefore, long parametersAfter, double? energy, string? reason)
        => (Layer, Factorizer, Rank, ParametersBefore, ParametersAfter, Energy, Reason)
            = (layer, factorizer, rank, parametersBefore, parametersAfter, energy, reason);

    /// <summary>Its name.</summary>
    public string Layer { get; }

    /// <summary>What took it apart, as <see cref="MLNet.Pruning.Factorizer"/> prints; null where it stays as it was.</summary>
    public string? Factorizer { get; }

    /// <summary>Its rank, of several modes as "12 x 16"; null where it stays as it was.</summary>
    public string? Rank { get; }

    /// <summary>Values of its weight.</summary>
    public long ParametersBefore { get; }

    /// <summary>Values of the weights of the layers in its place.</summary>
    public long ParametersAfter { get; }

    /// <summary>
    /// Share of the sum of squares that they keep, in [0, 1]: of its weight, or of its outputs on the calibration rows where the factoriser goes by these; null
    /// where it stays as it was.
    /// </summary>
    public double? Energy { get; }

    /// <summary>Why it stays as it was; null where it does not.</summary>
    public string? Reason { get; }

    /// <inheritdoc/>
    public override string ToString() => Reason is not null ? $"{Layer} stays as it was: {Reason}" : string.Create(CultureInfo.InvariantCulture,
        $"{Layer}: {Factorizer}, rank {Rank}, {ParametersBefore:N0} -> {ParametersAfter:N0} parameters, {Energy:0.####%} of the energy");
}
