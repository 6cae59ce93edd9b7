using System.CommandLine;
using Microsoft.ML;
using MLNet.Pruning.Cli.Runtime;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune report: what became of a model, as a page and a model card.</summary>
internal static class ReportCommand
{
    private const string Chain = ".zip";

    public static Command Create()
    {
        var before = new Argument<FileInfo>("model") { Description = "A chain that ml.Compression().Save wrote (.zip), or the model as it was (ONNX or "
            + ".nnp)." };
        var after = new Argument<FileInfo?>("after") { Description = "What became of it (ONNX or .nnp); not with a chain.", Arity = ArgumentArity.ZeroOrOne };
        var page = new Option<FileInfo>("--output", "-o") { Description = "The HTML file to write.", DefaultValueFactory = _ => new("report.html") };
        var card = new Option<FileInfo?>("--card") { Description = "Writes a model card, as Markdown, too." };
        var title = new Option<string>("--title") { Description = "Its title.", DefaultValueFactory = _ => new CompressionReportOptions().Title };
        var description = new Option<string?>("--description") { Description = "What the model is for, in a sentence or two." };
        var untimed = new Option<bool>("--no-latency") { Description = "Times nothing, so that the same models give the same bytes." };
        var command = new Command("report", "What became of a model, layer by layer: an HTML page that needs no other file, and a model card.")
        {
            before, after, page, card, title, description, untimed,
        };
        command.SetAnswer(arguments =>
        {
            var (model, small) = (arguments.GetRequiredValue(before), arguments.GetValue(after));
            var options = new CompressionReportOptions
            {
                Title = arguments.GetRequiredValue(title), Description = arguments.GetValue(description), Latency = !arguments.GetValue(untimed),
            };
            var report = Progress.Run(arguments, "reading", _ => Report(model, small, options));
            report.SaveHtml(arguments.GetRequiredValue(page).ToString());
            if (arguments.GetValue(card) is { } markdown)
            {
                report.SaveMarkdown(markdown.ToString());
            }

            return new Reported([.. report.Steps.Select(ReportedFigures.Of)], arguments.GetRequiredValue(page).ToString(),
                arguments.GetValue(card)?.ToString());
        });
        return command;
    }

    private static CompressionReport Report(FileInfo model, FileInfo? after, CompressionReportOptions options)
    {
        var catalog = new MLContext(1).Compression();
        if (!model.Extension.Equals(Chain, StringComparison.OrdinalIgnoreCase))
        {
            return after is null ? throw new UsageException($"{model} is one network: name what became of it too, or give a chain ({Chain}).")
                : catalog.Report(NetworkFile.Read(model), NetworkFile.Read(after), options);
        }

        return after is null ? catalog.Report(catalog.Load(model.ToString(), out _), options)
            : throw new UsageException($"{model} is a chain, which has all its networks: {after} is one file too many.");
    }
}

/// <summary>What report wrote.</summary>
/// <param name="Steps">The model after each step.</param>
/// <param name="Output">The page.</param>
/// <param name="Card">The model card; null for none.</param>
internal sealed record Reported(ReportedFigures[] Steps, string Output, string? Card) : Answer
{
    public override void Print(IAnsiConsole console)
    {
        var table = Cells.Columns("step", "parameters", "non-zeros", "multiply-adds", "bytes", "ms a row", "metric");
        foreach (var step in Steps)
        {
            table.Row(step.Step, Cells.Number(step.Parameters), Cells.Number(step.NonZeros), step.MultiplyAddsFormula, Cells.Number(step.Bytes),
                step.Milliseconds is { } time ? Cells.Number(time, "0.0000") : "", step.Value is { } value ? Cells.Number(value, "0.0000") : "");
        }

        console.Write(table);
        console.Line($"written: {Output}{(Card is null ? "" : $", {Card}")}");
    }
}

/// <summary>A model after a step.</summary>
/// <param name="Step">The step.</param>
/// <param name="Parameters">Trained values.</param>
/// <param name="NonZeros">Those that are not zero.</param>
/// <param name="MultiplyAddsFormula">Live multiply-adds for one row, with open sizes by name.</param>
/// <param name="Bytes">Bytes of the smaller of its ONNX files, sparse or not.</param>
/// <param name="Milliseconds">Median time of one row on this machine; null where it was not timed.</param>
/// <param name="Metric">What the step measured on rows held back; null where it did not.</param>
/// <param name="Value">And what that was.</param>
internal sealed record ReportedFigures(string Step, long Parameters, long NonZeros, string MultiplyAddsFormula, long Bytes, double? Milliseconds,
    string? Metric,
    double? Value)
{
    public static ReportedFigures Of(ReportedStep step)
        => new(step.Name, step.Cost.Total.Parameters, step.Cost.Total.NonZeros,
        step.Cost.Total.LiveMultiplyAddsFormula, step.Bytes, step.Milliseconds, step.Validation?.Name, step.Validation?.Metric);
}
