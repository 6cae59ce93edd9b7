namespace MLNet.Pruning;

/// <summary>Which of two values of a metric is the better one.</summary>
public enum MetricDirection
{
    /// <summary>The higher one, as of accuracy.</summary>
    HigherIsBetter,

    /// <summary>The lower one, as of an error.</summary>
    LowerIsBetter,
}
