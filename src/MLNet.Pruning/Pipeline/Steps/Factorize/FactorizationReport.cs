using MLNet.Pruning.Evaluation;

namespace MLNet.Pruning;

/// <summary>What a factorisation did; prints a line of costs and measures, and one for each layer.</summary>
public sealed record FactorizationReport : StepReport
{
    [JsonConstructor]
    internal FactorizationReport(string factorizer, IReadOnlyList<FactorizedLayer> layers, string rank, IReadOnlyList<BudgetCost> costs,
        ValidationResult? before, ValidationResult? after)
        => (Factorizer, Layers, Rank, Costs, Before, After) = (factorizer, layers, rank, costs, before, after);

    /// <summary>Into which layers, as <see cref="MLNet.Pruning.Factorizer"/> prints.</summary>
    public string Factorizer { get; }

    /// <summary>What became of each layer with a weight or a table, in the order of the network.</summary>
    public IReadOnlyList<FactorizedLayer> Layers { get; }

    /// <summary>How small, as <see cref="MLNet.Pruning.Rank"/> prints.</summary>
    public string Rank { get; }

    /// <summary>Parameters, multiply-adds where their number does not depend on open sizes, and all else that a budget limits.</summary>
    public IReadOnlyList<BudgetCost> Costs { get; }

    /// <summary>The network as it was on the validation rows; null without such rows.</summary>
    public ValidationResult? Before { get; }

    /// <summary>The network with the smaller layers on the validation rows, as it is handed on: nothing was trained.</summary>
    /// <value>Null without such rows.</value>
    public ValidationResult? After { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Factorizer}, {Rank}: " + string.Join(", ", Costs.Select(cost => string.Create(CultureInfo.InvariantCulture,
            $"{cost.Before:#,0.###} -> {cost.After:#,0.###} {BudgetLimit.Text(cost.Measure)}"))) + (Before is null ? "" : $", validation {Before} -> {After}")
        + string.Concat(Layers.Select(layer => $"{Environment.NewLine}{layer}"));
}
