namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>A limit on one cost.</summary>
internal sealed record BudgetLimit(CostMeasure Measure, double Most)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"at most {Most} {Name(Measure)}");

    public static string Name(CostMeasure measure) => measure == CostMeasure.MultiplyAdds ? "multiply-adds" : measure.ToString().ToLowerInvariant();
}
