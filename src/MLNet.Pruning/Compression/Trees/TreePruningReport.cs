using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>What a pruning of trees did; prints as a table.</summary>
public sealed record TreePruningReport : StepReport
{
    [JsonConstructor]
    internal TreePruningReport(TreePruningMethod method, TreeCost before, TreeCost after, string metricName,
        double metricBefore, double metricAfter, int trainingRows, int validationRows)
        => (Method, Before, After, MetricName, MetricBefore, MetricAfter, TrainingRows, ValidationRows)
            = (method, before, after, metricName, metricBefore, metricAfter, trainingRows, validationRows);

    /// <summary>The method.</summary>
    public TreePruningMethod Method { get; }

    /// <summary>The ensemble as it was.</summary>
    public TreeCost Before { get; }

    /// <summary>The ensemble as it is.</summary>
    public TreeCost After { get; }

    /// <summary>Name of the metric.</summary>
    public string MetricName { get; }

    /// <summary>The metric on the validation rows before.</summary>
    public double MetricBefore { get; }

    /// <summary>The metric on the validation rows after.</summary>
    public double MetricAfter { get; }

    /// <summary>Rows that leaves were refitted and counted on.</summary>
    public int TrainingRows { get; }

    /// <summary>Rows that choices were made on.</summary>
    public int ValidationRows { get; }

    /// <inheritdoc/>
    public override string ToString() => Table().ToString();

    internal override IReadOnlyList<ReportPart> Parts => [Table()];

    private ReportTable Table() => new(["trees", "before", "after"],
    [
        Row("trees", Before.Trees, After.Trees),
        Row("nodes", Before.Nodes, After.Nodes),
        Row("leaves", Before.Leaves, After.Leaves),
        Row("depth", Before.Depth, After.Depth),
        Row("bytes", Before.Bytes, After.Bytes),
        [$"validation {MetricName}", Metric.Text(MetricBefore, ""), Metric.Text(MetricAfter, "")],
    ]);

    private static string[] Row(string name, long before, long after)
        => [name, before.ToString("N0", CultureInfo.InvariantCulture), after.ToString("N0", CultureInfo.InvariantCulture)];
}
