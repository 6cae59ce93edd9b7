using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What networks measure.</summary>
/// <param name="Models">The networks, in the order in which they were given.</param>
internal sealed record Evaluated(ModelEvaluation[] Models) : Answer
{
    public override void Print(IAnsiConsole console)
    {
        var table = Cells.Columns(["metric", .. Models.Select(model => Path.GetFileName(model.File)), "<unit", "<better"]);
        foreach (var metric in Models.SelectMany(model => model.Metrics).DistinctBy(metric => metric.Name))
        {
            table.Row([metric.Name, .. Models.Select(model => model.Metrics.FirstOrDefault(one => one.Name == metric.Name)?.Text ?? ""), metric.Unit ?? "",
                metric.Better]);
        }

        console.Write(table);
        foreach (var note in Models.SelectMany(model => model.Metrics).Where(metric => metric.Note is not null)
            .Select(metric => $"{metric.Name}: {metric.Note}").Distinct())
        {
            console.Line(note);
        }
    }
}

/// <summary>What a network measures.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Metrics">By metric, in the order in which they were asked for.</param>
internal sealed record ModelEvaluation(string File, MetricCell[] Metrics)
{
    public static ModelEvaluation Of(FileInfo file, EvaluationReport report) => new(file.ToString(), [.. report.Values.Select(value =>
        new MetricCell(value.Name, value.Value, value.Unit.Length == 0 ? null : value.Unit,
            value.Direction == MetricDirection.HigherIsBetter ? "higher" : "lower", value.Note) { Text = value.Text })]);
}

/// <summary>A value of a metric.</summary>
/// <param name="Name">Name of the metric.</param>
/// <param name="Value">The value; not a number where it is undefined.</param>
/// <param name="Unit">What it is counted in; null for a plain number.</param>
/// <param name="Better">Whether the higher or the lower is better.</param>
/// <param name="Note">How it was measured, or why it is undefined; null for nothing to say.</param>
internal sealed record MetricCell(string Name, double Value, string? Unit, string Better, string? Note)
{
    /// <summary>The value as text.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Text { get; init; } = "";
}
