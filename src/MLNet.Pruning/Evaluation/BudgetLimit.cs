namespace MLNet.Pruning.Evaluation;

/// <summary>A limit on one cost.</summary>
/// <param name="Name">The member of <see cref="Budget"/> that makes it.</param>
/// <param name="Measure">The cost.</param>
/// <param name="Most">What it may be at most.</param>
internal sealed record BudgetLimit(string Name, CostMeasure Measure, double Most)
{
    /// <summary>Rows of the batch that milliseconds are measured on.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Whether it is a share of what there was before the first pruning.</summary>
    public bool IsShare { get; init; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"at most {Most} {Text(Measure)}");

    public static string Text(CostMeasure measure) => measure == CostMeasure.MultiplyAdds ? "multiply-adds" : measure.ToString().ToLowerInvariant();
}
