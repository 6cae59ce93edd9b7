using MLNet.Pruning.Evaluation;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What prune did.</summary>
/// <param name="Input">The model it was given.</param>
/// <param name="Output">The model it wrote.</param>
/// <param name="Granularity">What was pruned as one.</param>
/// <param name="Sparsity">Share that was to go.</param>
/// <param name="Target">What it is counted in.</param>
/// <param name="Widths">Widths that changed; empty where weights were set to zero.</param>
/// <param name="Bypassed">Layers and blocks whose place the identity took.</param>
/// <param name="Layers">Shapes and non-zeros of the layers with weights.</param>
/// <param name="LeftOut">Values that operators read which are not analysed: neither counted nor pruned.</param>
/// <param name="Note">What was rounded; null for nothing.</param>
/// <param name="Warnings">Layers left with nothing, outputs that became constant, weights out of scope, and the like.</param>
/// <param name="Steps">Steps of the schedule; only with rows.</param>
/// <param name="Validation">Measured on rows held back; only with rows.</param>
/// <param name="Quantized">What the weights that are left became; null for floats.</param>
internal sealed record Pruned(FileSummary Input, FileSummary Output, string Granularity, double Sparsity, string Target, LayerWidth[] Widths, string[] Bypassed,
    PrunedLayer[] Layers,
    LeftOutValues[] LeftOut, string? Note, string[] Warnings, StepSummary[]? Steps, ValidationSummary? Validation, string? Quantized) : Answer
{
    public static Pruned Of(FileSummary before, FileSummary after, PruningOptions options, string granularity, string target, Network network, Network small,
        PruningReport report, QuantizationOptions? quantizing, QuantizationReport? quantized)
    {
        var rounded = report.Widths.Where(width => width.After != width.Exact).ToArray();
        return new(before, after, granularity, options.Amount.Value, target, [.. report.Widths], [.. report.Bypassed], PrunedLayer.Of(network, small),
            [.. LeftOutValues.Of(small)],
            rounded.Length == 0 ? null : $"{rounded.Length} of {report.Widths.Count} widths are rounded to a multiple of "
                + $"{string.Join(" or ", rounded.Select(width => width.Alignment).Distinct().Order())}; --alignment 1 keeps them exact",
            [.. report.Warnings, .. quantized?.Unquantized.Select(layer => layer.ToString()) ?? []],
            report.Before is null ? null : [.. report.Steps.Select(step =>
                new StepSummary(step.Step, step.Sparsity, step.Pruned?.Metric, step.FineTuned?.Metric, step.Kept))],
            report.Before is { } start ? new(start.Name, start.Metric, quantized?.After?.Metric
                ?? report.Steps.LastOrDefault(step => step.Kept)?.Validation?.Metric ?? start.Metric) : null,
            quantizing?.Quantizer.ToString());
    }

    public override void Print(IAnsiConsole console)
    {
        if (Widths.Length > 0)
        {
            var widths = Cells.Columns("width of layer", "<kind", "before", "after", "exact");
            foreach (var width in Widths)
            {
                widths.Row(width.Layer, width.Kind.ToString(), Cells.Number(width.Before), Cells.Number(width.After), Cells.Number(width.Exact));
            }

            console.Write(widths);
        }
        else
        {
            var layers = Cells.Columns("layer", "weight before", "after", "zeros");
            foreach (var layer in Layers)
            {
                layers.Row(layer.Name, Cells.Shape(layer.Before.Cast<object>()), layer.After is null ? "gone" : Cells.Shape(layer.After.Cast<object>()),
                    Cells.Percent(layer.Sparsity));
            }

            console.Write(layers);
        }

        if (LeftOutValues.Describe(LeftOut, Output.Parameters) is { } left)
        {
            console.Line(left);
        }

        if (Note is not null)
        {
            console.Line(Note);
        }

        foreach (var warning in Warnings)
        {
            console.Line($"warning: {warning}");
        }

        var totals = Cells.Columns("", "before", "after", "ratio");
        Total("parameters", file => file.Parameters);
        Total("non-zeros", file => file.NonZeros);
        if (Input.MultiplyAdds is { } before && Output.MultiplyAdds is { } after)
        {
            Total("multiply-adds", file => file == Input ? before : after);
        }
        else
        {
            totals.Row("multiply-adds", Input.MultiplyAddsFormula, Output.MultiplyAddsFormula, "");
        }

        Total("bytes", file => file.Bytes);
        if (Validation is { } validation)
        {
            totals.Row($"validation {validation.Metric}", Cells.Number(validation.Before, "0.0000"), Cells.Number(validation.After, "0.0000"), "");
        }

        console.Write(totals);
        console.Line($"written: {Output.File}");

        void Total(string what, Func<FileSummary, long> of)
            => totals.Row(what, Cells.Number(of(Input)), Cells.Number(of(Output)), of(Output) == 0 ? "" : Cells.Number((double)of(Input) / of(Output), "0.0x"));
    }
}

/// <summary>A layer's weight before and after.</summary>
/// <param name="Name">The layer's name.</param>
/// <param name="Before">Shape of its weight.</param>
/// <param name="After">Shape afterwards; null where the layer is gone.</param>
/// <param name="Sparsity">Share of zeros afterwards.</param>
internal sealed record PrunedLayer(string Name, int[] Before, int[]? After, double? Sparsity)
{
    public static PrunedLayer[] Of(Network network, Network small) =>
    [
        .. network.Layers.SelectMany(layer => layer.Weights.Select(weight => (layer.Node.Name, Weight: weight))).Select(layer =>
        {
            var after = small.TryGetParameter(layer.Weight, out var parameter) ? parameter : null;
            return new PrunedLayer(layer.Name, [.. network[layer.Weight].Shape], after is null ? null : [.. after.Shape],
                after is null ? null : 1 - (double)Liveness.NonZeros(after.Values) / after.Count);
        }),
    ];
}

/// <summary>A step of the schedule.</summary>
/// <param name="Step">From 1.</param>
/// <param name="Sparsity">Share of the weights or structures that are gone.</param>
/// <param name="Pruned">The validation metric right after pruning.</param>
/// <param name="FineTuned">After fine-tuning; null without.</param>
/// <param name="Kept">Whether it was kept.</param>
internal sealed record StepSummary(int Step, double Sparsity, double? Pruned, double? FineTuned, bool Kept);

/// <summary>Measured on rows held back from training.</summary>
/// <param name="Metric">What was measured.</param>
/// <param name="Before">For the model given.</param>
/// <param name="After">For the model written.</param>
internal sealed record ValidationSummary(string Metric, double Before, double After);
