using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>What an automatic pruning tried and chose; prints as a table of layers and one of costs.</summary>
public sealed record AutoPruneReport : StepReport
{
    [JsonConstructor]
    internal AutoPruneReport(string budget, ValidationResult before, ValidationResult searched, ValidationResult after,
        IReadOnlyList<LayerRatio> layers, IReadOnlyList<BudgetCost> costs, IReadOnlyList<AutoPruneTrial> trials, int resumed, bool stoppedEarly)
        => (Budget, Before, Searched, After, Layers, Costs, Trials, Resumed, StoppedEarly)
            = (budget, before, searched, after, layers, costs, trials, resumed, stoppedEarly);

    /// <summary>What was to be met, as text.</summary>
    public string Budget { get; }

    /// <summary>The network before, on the validation rows.</summary>
    public ValidationResult Before { get; }

    /// <summary>The network chosen, as the search measured it.</summary>
    public ValidationResult Searched { get; }

    /// <summary>The network handed on, after its fine-tuning.</summary>
    public ValidationResult After { get; }

    /// <summary>What each layer was left with, in the order of the network.</summary>
    public IReadOnlyList<LayerRatio> Layers { get; }

    /// <summary>The costs that are limited or minimised, before and after.</summary>
    public IReadOnlyList<BudgetCost> Costs { get; }

    /// <summary>The candidates in the order they were measured, those of earlier runs with the same state file included.</summary>
    public IReadOnlyList<AutoPruneTrial> Trials { get; }

    /// <summary>How many of them an earlier run had measured.</summary>
    public int Resumed { get; }

    /// <summary>
    /// The layer times that guided the search where the budget or the objective is time; null where it is not. The costs' milliseconds are of networks timed as
    /// wholes, in turns.
    /// </summary>
    [JsonInclude]
    public LatencyTable? LayerTimes { get; internal init; }

    /// <summary>What scored the network before fastest; null where nothing was timed.</summary>
    [JsonInclude]
    public ScoringRuntime? RuntimeBefore { get; internal init; }

    /// <summary>What scored the network handed on fastest, as <c>Compact()</c> has it scored; null where nothing was timed.</summary>
    [JsonInclude]
    public ScoringRuntime? RuntimeAfter { get; internal init; }

    /// <summary>Whether the time or the number of candidates ran out before the strategy came to its end.</summary>
    public bool StoppedEarly { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, Parts);

    internal override IReadOnlyList<ReportPart> Parts =>
    [
        new ReportText($"budget: {Budget}; {Trials.Count} candidates measured{(Resumed > 0 ? $", {Resumed} of them by earlier runs" : "")}"
            + (StoppedEarly ? ", stopped early" : "")),
        new ReportTable(["layer", "total", "left", "sparsity"],
            [.. Layers.Select(layer => (string[])[layer.Layer, Number(layer.Total), Number(layer.Kept),
                layer.Sparsity.ToString("P1", CultureInfo.InvariantCulture)])]),
        new ReportTable(["cost", "before", "after", "limit"],
            [.. Costs.Select(cost => (string[])[BudgetLimit.Text(cost.Measure), Number(cost.Before), Number(cost.After),
                cost.Limit is { } limit ? Number(limit) : ""])]),
        .. Times,
        new ReportText($"before: {Before}"),
        new ReportText($"after: {After}"),
    ];

    private IEnumerable<ReportPart> Times => LayerTimes is not { } table ? [] :
    [
        new ReportText(string.Create(CultureInfo.InvariantCulture,
            $"timed: a batch of {table.Batch:N0} on one thread, in {RuntimeBefore} before and {RuntimeAfter} after; layers by multiply-adds left in all, "
                + $"in ms:")),
        .. table.Parts,
    ];

    private static string Number(double value) => value.ToString(value == Math.Floor(value) ? "N0" : "N4", CultureInfo.InvariantCulture);
}

/// <summary>What a layer was left with.</summary>
public sealed record LayerRatio
{
    [JsonConstructor]
    internal LayerRatio(string layer, string parameter, long total, long kept)
        => (Layer, Parameter, Total, Kept) = (layer, parameter, total, kept);

    /// <summary>Name of the layer.</summary>
    public string Layer { get; }

    /// <summary>Name of the weight it was pruned in.</summary>
    public string Parameter { get; }

    /// <summary>Weights or structures it had, those dropped by earlier steps included.</summary>
    [JsonPropertyName("Pieces")]
    public long Total { get; }

    /// <summary>Weights or structures that are left.</summary>
    public long Kept { get; }

    /// <summary>Share of the weights or structures that are gone, in [0, 1).</summary>
    public double Sparsity => 1 - (double)Kept / Total;
}

/// <summary>A cost against its limit.</summary>
public sealed record BudgetCost
{
    [JsonConstructor]
    internal BudgetCost(CostMeasure measure, double before, double after, double? limit)
        => (Measure, Before, After, Limit) = (measure, before, after, limit);

    /// <summary>What is counted.</summary>
    public CostMeasure Measure { get; }

    /// <summary>Of the network before; of milliseconds that are limited to a share, of the network before its first pruning.</summary>
    public double Before { get; }

    /// <summary>Of the network handed on.</summary>
    public double After { get; }

    /// <summary>What it may be at most; null where it was only to be as small as can be.</summary>
    public double? Limit { get; }
}

/// <summary>A candidate that was measured.</summary>
public sealed record AutoPruneTrial
{
    [JsonConstructor]
    internal AutoPruneTrial(int number, IReadOnlyList<long> kept, double size, ValidationResult validation, bool meets)
        => (Number, Kept, Size, Validation, Meets) = (number, kept, size, validation, meets);

    /// <summary>From 1.</summary>
    public int Number { get; }

    /// <summary>Weights or structures left in each layer, in the order of the report's layers.</summary>
    public IReadOnlyList<long> Kept { get; }

    /// <summary>Its cost by the measure that is minimised.</summary>
    public double Size { get; }

    /// <summary>Measured on the validation rows, after the candidates' fine-tuning if there is any.</summary>
    public ValidationResult Validation { get; }

    /// <summary>Whether it meets the budget.</summary>
    public bool Meets { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"candidate {Number}: {string.Join(", ", Kept)} left, size {Size:g6}, validation {Validation}{(Meets ? "" : ", outside the budget")}");
}
