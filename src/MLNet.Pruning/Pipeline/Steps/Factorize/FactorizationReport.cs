namespace MLNet.Pruning;

/// <summary>What a factorisation did; prints a line of sizes and measures, and one for each layer.</summary>
public sealed record FactorizationReport : StepReport
{
    [JsonConstructor]
    internal FactorizationReport(string factorizer, string rank, ValidationResult? before, ValidationResult? after, long parametersBefore, long parametersAfter,
        string multiplyAddsBefore, string multiplyAddsAfter, IReadOnlyList<FactorizedLayer> layers)
        => (Factorizer, Rank, Before, After, ParametersBefore, ParametersAfter, MultiplyAddsBefore, MultiplyAddsAfter, Layers)
            = (factorizer, rank, before, after, parametersBefore, parametersAfter, multiplyAddsBefore, multiplyAddsAfter, layers);

    /// <summary>Into which layers, as <see cref="MLNet.Pruning.Factorizer"/> prints.</summary>
    public string Factorizer { get; }

    /// <summary>How small, as <see cref="MLNet.Pruning.Rank"/> prints.</summary>
    public string Rank { get; }

    /// <summary>The network as it was on the validation rows; null without such rows.</summary>
    public ValidationResult? Before { get; }

    /// <summary>The network with the smaller layers on the validation rows, without fine-tuning; null without such rows.</summary>
    public ValidationResult? After { get; }

    /// <summary>Trained values of the network as it was.</summary>
    public long ParametersBefore { get; }

    /// <summary>Trained values of the network with the smaller layers.</summary>
    public long ParametersAfter { get; }

    /// <summary>Multiply-adds for a row of the network as it was, as <see cref="LayerCost.MultiplyAddsFormula"/> has them.</summary>
    public string MultiplyAddsBefore { get; }

    /// <summary>Multiply-adds for a row of the network with the smaller layers.</summary>
    public string MultiplyAddsAfter { get; }

    /// <summary>What became of each layer with a weight or a table, in the order of the network.</summary>
    public IReadOnlyList<FactorizedLayer> Layers { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Factorizer}, {Rank}: {ParametersBefore:N0} -> {ParametersAfter:N0} "
        + $"parameters, {MultiplyAddsBefore} -> {MultiplyAddsAfter} multiply-adds") + (Before is null ? "" : $", validation {Before} -> {After}")
        + string.Concat(Layers.Select(layer => $"{Environment.NewLine}{layer}"));
}
