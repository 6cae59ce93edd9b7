using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>What a network measures by several metrics; prints as a table.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class EvaluationReport : IHtmlDisplay
{
    internal EvaluationReport(IEnumerable<MetricValue> values, ClassConfusion? confusion) => (Values, Confusion) = ([.. values], confusion);

    /// <summary>The values, in the order in which they were asked for.</summary>
    public ImmutableArray<MetricValue> Values { get; }

    /// <summary>Which classes are taken for which; null where no metric of predicted classes was asked for, and for more than 1,024 classes.</summary>
    public ClassConfusion? Confusion { get; }

    /// <summary>The value by a metric; not a number where it could not be measured.</summary>
    /// <param name="metric">One of those that were asked for.</param>
    /// <exception cref="ArgumentException">It was not asked for.</exception>
    public double this[Metric metric] => Values.FirstOrDefault(value => value.Name == Setting.Present(metric, nameof(metric)).Name)?.Value
        ?? throw new ArgumentException($"The metric '{metric.Name}' was not measured; these were: {string.Join(", ", Values.Select(value => value.Name))}.",
            nameof(metric));

    /// <summary>A line for each metric, and below what there is to say of each.</summary>
    public override string ToString() => Table()
        + string.Concat(Values.Where(value => value.Note is not null).Select(value => $"{Environment.NewLine}{value.Name}: {value.Note}"));

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts
        => [Table(), .. Values.Where(value => value.Note is not null).Select(value => new ReportText($"{value.Name}: {value.Note}")),
            .. Confusion?.Parts ?? []];

    private ReportTable Table() => new(["metric", "value", "unit", "better"], [.. Values.Select(value => new[]
    {
        value.Name, value.Text, value.Unit, value.Direction == MetricDirection.HigherIsBetter ? "higher" : "lower",
    })]);
}

/// <summary>What a network measures by a metric.</summary>
public sealed record MetricValue
{
    internal MetricValue(Metric metric, Measured measured)
        => (Name, Value, Unit, Direction, Note) = (metric.Name, measured.Value, metric.Unit, metric.Direction, measured.Note);

    /// <summary>Name of the metric.</summary>
    public string Name { get; }

    /// <summary>The value; not a number where the rows or the network do not define it.</summary>
    public double Value { get; }

    /// <summary>What it is counted in; empty for a share or another plain number.</summary>
    public string Unit { get; }

    /// <summary>Whether higher or lower is better.</summary>
    public MetricDirection Direction { get; }

    /// <summary>How it was measured, by which constants it is estimated, or why it is undefined; null where there is nothing to say.</summary>
    public string? Note { get; }

    /// <summary>The value as text; "NA" where it is not a number.</summary>
    internal string Text => Metric.Text(Value, Unit);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Text}{(Unit.Length == 0 ? "" : $" {Unit}")}{(Note is null ? "" : $" ({Note})")}";
}
