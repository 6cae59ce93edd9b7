using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What quantize did.</summary>
/// <param name="Input">The model it was given.</param>
/// <param name="Output">The model it wrote.</param>
/// <param name="To">What weights became.</param>
/// <param name="Rounding">Which integers they became.</param>
/// <param name="Preparation">What was done to the floats first; null for nothing.</param>
/// <param name="Unquantized">Layers that stayed as they were; only with rows.</param>
/// <param name="Layers">What each layer became, where a budget chose.</param>
/// <param name="Epochs">The epochs of its training; only where it was trained.</param>
/// <param name="Validation">Measured on rows held back; only with rows.</param>
internal sealed record Quantized(FileSummary Input, FileSummary Output, string To, string Rounding, string? Preparation,
    UnquantizedLayer[]? Unquantized, IReadOnlyDictionary<string, string>? Layers, EpochSummary[]? Epochs, ValidationSummary? Validation) : Answer
{
    public static Quantized Of(FileSummary before, FileSummary after, QuantizationOptions options, QuantizationReport? report)
        => new(before, after, options.Quantizer.ToString()!, options.Rounding.ToString()!, options.Preparation?.ToString(),
            report is null ? null : [.. report.Unquantized],
            report is { Layers.Count: > 0 } ? report.Layers : null,
            report is { Epochs.Count: > 0 } ? [.. report.Epochs.Select(epoch => new EpochSummary(epoch.Epoch, epoch.Loss, epoch.Validation?.Metric,
                epoch.Floats?.Metric))] : null,
            report is { Before: { } first, After: { } last } ? new(first.Name, first.Metric, last.Metric) : null);

    public override void Print(IAnsiConsole console)
    {
        foreach (var layer in Unquantized ?? [])
        {
            console.Line(layer.ToString());
        }

        foreach (var (layer, form) in Layers ?? new Dictionary<string, string>())
        {
            console.Line($"{layer}: {form}");
        }

        if (Epochs is not null)
        {
            var epochs = Cells.Columns("epoch", "loss", "rounded", "floats");
            foreach (var epoch in Epochs)
            {
                epochs.Row(Cells.Number(epoch.Epoch), Cells.Number(epoch.Loss, "0.0000"), Metric(epoch.Rounded), Metric(epoch.Floats));
            }

            console.Write(epochs);
        }

        var totals = Cells.Columns("", "before", "after", "ratio");
        totals.Row("bytes", Cells.Number(Input.Bytes), Cells.Number(Output.Bytes), Cells.Number((double)Input.Bytes / Output.Bytes, "0.0x"));
        if (Validation is { } validation)
        {
            totals.Row($"validation {validation.Metric}", Cells.Number(validation.Before, "0.0000"), Cells.Number(validation.After, "0.0000"), "");
        }

        console.Write(totals);
        console.Line($"written: {Output.File}");
    }

    private static string Metric(double? value) => value is { } metric ? Cells.Number(metric, "0.0000") : "";
}

/// <summary>An epoch of training that rounds.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss.</param>
/// <param name="Rounded">The validation metric of the network as it rounds.</param>
/// <param name="Floats">That of the same weights without rounding.</param>
internal sealed record EpochSummary(int Epoch, double Loss, double? Rounded, double? Floats);
