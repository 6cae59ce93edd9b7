using System.Globalization;

namespace MLNet.Pruning;

/// <summary>What an automatic pruning tried and chose; prints as a table of layers and one of costs.</summary>
/// <param name="Budget">What was to be met, as text.</param>
/// <param name="Before">The network before, on the validation rows.</param>
/// <param name="Searched">The network chosen, as the search measured it.</param>
/// <param name="After">The network handed on, after its fine-tuning.</param>
/// <param name="Layers">What each layer was left with, in the order of the network.</param>
/// <param name="Costs">The costs that are limited or minimised, before and after.</param>
/// <param name="Trials">The candidates in the order they were measured, those of earlier runs with the same state file included.</param>
/// <param name="Resumed">How many of them an earlier run had measured.</param>
/// <param name="StoppedEarly">Whether the time or the number of candidates ran out before the strategy came to its end.</param>
public sealed record AutoPruneReport(string Budget, ValidationResult Before, ValidationResult Searched, ValidationResult After, IReadOnlyList<LayerRatio> Layers, IReadOnlyList<BudgetCost> Costs,
    IReadOnlyList<AutoPruneTrial> Trials, int Resumed, bool StoppedEarly)
{
    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine,
    [
        $"budget: {Budget}; {Trials.Count} candidates measured{(Resumed > 0 ? $", {Resumed} of them by earlier runs" : "")}{(StoppedEarly ? ", stopped early" : "")}",
        TextTable.Format(["layer", "pieces", "left", "sparsity"], [.. Layers.Select(layer => new[] { layer.Layer, Number(layer.Pieces), Number(layer.Kept), layer.Sparsity.ToString("P1", CultureInfo.InvariantCulture) })]),
        TextTable.Format(["cost", "before", "after", "limit"], [.. Costs.Select(cost => new[] { BudgetLimit.Name(cost.Measure), Number(cost.Before), Number(cost.After), cost.Limit is { } limit ? Number(limit) : "" })]),
        $"before: {Before}",
        $"after: {After}",
    ]);

    private static string Number(double value) => value.ToString(value == Math.Floor(value) ? "N0" : "N4", CultureInfo.InvariantCulture);
}

/// <summary>What a layer was left with.</summary>
/// <param name="Layer">Name of the layer.</param>
/// <param name="Parameter">Name of the weight whose pieces went.</param>
/// <param name="Pieces">Pieces it had, those dropped by earlier steps included.</param>
/// <param name="Kept">Pieces that are left.</param>
public sealed record LayerRatio(string Layer, string Parameter, long Pieces, long Kept)
{
    /// <summary>Share of the pieces that are gone, in [0, 1).</summary>
    public double Sparsity => 1 - (double)Kept / Pieces;
}

/// <summary>A cost against its limit.</summary>
/// <param name="Measure">What is counted.</param>
/// <param name="Before">Of the network before.</param>
/// <param name="After">Of the network handed on.</param>
/// <param name="Limit">What it may be at most; null where it was only to be as small as can be.</param>
public sealed record BudgetCost(CostMeasure Measure, double Before, double After, double? Limit);

/// <summary>A candidate that was measured.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Kept">Pieces left in each layer, in the order of the report's layers.</param>
/// <param name="Size">Its cost by the measure that is minimised.</param>
/// <param name="Validation">Measured on the validation rows, after the candidates' fine-tuning if there is any.</param>
/// <param name="Meets">Whether it meets the budget.</param>
public sealed record AutoPruneTrial(int Number, IReadOnlyList<long> Kept, double Size, ValidationResult Validation, bool Meets)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"candidate {Number}: {string.Join(", ", Kept)} left, size {Size:g6}, validation {Validation}{(Meets ? "" : ", outside the budget")}");
}
