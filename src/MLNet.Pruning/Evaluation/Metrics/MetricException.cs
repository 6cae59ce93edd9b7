namespace MLNet.Pruning;

/// <summary>A metric that a decision hangs on could not be computed, such as the area under the ROC curve of rows of one class alone.</summary>
public sealed class MetricException : InvalidOperationException
{
    internal MetricException(string metric, string decision)
        : base($"The metric '{metric}' is not a number on the validation rows{Needs(metric)}: {decision} cannot go by it. "
            + "Choose another metric, or hold back more rows.")
        => MetricName = metric;

    /// <summary>Name of the metric.</summary>
    public string MetricName { get; }

    private static string Needs(string metric)
        => Metric.OfFile(metric).Needs is { } needs ? $" (it needs {needs} among them)" : "";
}
