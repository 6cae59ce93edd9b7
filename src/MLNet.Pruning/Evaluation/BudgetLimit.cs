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

    /// <summary>What the cost may be at most.</summary>
    /// <param name="before">What it was before, which a share is of.</param>
    public double MostOf(Func<double> before) => IsShare ? Most * before() : Most;

    public override string ToString() => IsShare ? string.Create(CultureInfo.InvariantCulture, $"at most {Most} of the {Text(Measure)} before")
        : string.Create(CultureInfo.InvariantCulture, $"at most {Most} {Text(Measure)}");

    public static string Text(CostMeasure measure) => measure == CostMeasure.MultiplyAdds ? "multiply-adds" : measure.ToString().ToLowerInvariant();
}
