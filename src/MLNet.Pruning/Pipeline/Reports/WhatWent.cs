using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Pipeline.Reports;

/// <summary>What steps took away or left as it was, and their reasons.</summary>
internal static class WhatWent
{
    private const int MostNumbers = 24;

    public static IEnumerable<ReportPart> Of(IReadOnlyList<ReportedStep> steps)
        => steps.SelectMany(step => Of(step.Report).Select((part, i) => (step, part, i))).SelectMany(one
            => one.i == 0 ? [new ReportText($"By the step \"{one.step.Name}\":"), one.part] : (IEnumerable<ReportPart>)[one.part]);

    private static IEnumerable<ReportPart> Of(StepReport? report) => report switch
    {
        PruningReport pruning => [.. Pruned(pruning), .. Warnings(pruning.Warnings)],
        AutoPruneReport search => Searched(search),
        QuantizationReport quantized => [.. Quantized(quantized), .. Warnings(quantized.Warnings)],
        FactorizationReport factorized => ReportSections.Cut(["layer", "form", "rank", "parameters before", "after", "kept of its energy", "why not"],
            [.. factorized.Layers.Select(layer => (string[])[layer.Layer, layer.Factorizer ?? "", layer.Rank ?? "", Number(layer.ParametersBefore),
                Number(layer.ParametersAfter), layer.Energy?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "", layer.Reason ?? ""])], "layers"),
        TreePruningReport trees => [new ReportTable(["trees", "before", "after"],
        [
            ["trees", Number(trees.Before.Trees), Number(trees.After.Trees)], ["nodes", Number(trees.Before.Nodes), Number(trees.After.Nodes)],
            ["leaves", Number(trees.Before.Leaves), Number(trees.After.Leaves)], ["depth", Number(trees.Before.Depth), Number(trees.After.Depth)],
        ])],
        _ => [],
    };

    private static IEnumerable<ReportPart> Pruned(PruningReport report)
    {
        var pools = report.Record?.Pools ?? [];
        var tables = pools.SelectMany(pool => pool.Tables.Select(table => (Pool: pool, Table: table))).ToArray();
        if (tables.Length > 0)
        {
            foreach (var part in ReportSections.Cut(["layer", "there were", "left", "which went", "why"], [.. tables.Select(one => (string[])[one.Table.Name,
                Number(one.Table.Went.Length), Number(one.Table.Left), Which(one.Table), Why(one.Pool)])], "layers"))
            {
                yield return part;
            }

            foreach (var (_, table) in tables.Take(MostNumbers))
            {
                if (table.Histogram() is { Before.Count: > 0 } importance)
                {
                    yield return importance.Picture;
                }
            }
        }
        else if (report.Widths.Count > 0)
        {
            yield return new ReportTable(["layer", "kind", "before", "after"],
                [.. report.Widths.Take(ReportSections.MostRows).Select(width => (string[])[width.Layer,
                width.Kind.ToString(), Number(width.Before), Number(width.After)])]);
        }

        if (report.Bypassed.Count > 0)
        {
            yield return new ReportText($"Replaced by the identity: {string.Join(", ", report.Bypassed)}.");
        }
    }

    /// <summary>Structures by their names or numbers; of single weights only how many.</summary>
    private static string Which(CandidateTable table)
    {
        int[] went = [.. Enumerable.Range(0, table.Went.Length).Where(i => table.Went[i] != 0)];
        return went.Length == 0 ? "none" : table.Names is { } names
            ? string.Join(", ", went.Take(MostNumbers).Select(i => names[i])) + (went.Length > MostNumbers
                ? ", ..." : "")
            : table.Slices.Count > 0 && IndexRanges.Format(went) is var numbers ? numbers.Length <= 8 * MostNumbers ? numbers
            : numbers[..(8 * MostNumbers)] + "..."
            : $"{Number(went.Length)} weights";
    }

    private static string Why(CandidatePool pool) => pool.Comparisons.LastOrDefault(comparison => comparison.Kept) is { Of: > 0 } last
        ? double.IsNaN(last.Threshold) ? "nothing of what it was compared with went"
            : string.Create(CultureInfo.InvariantCulture, $"importance of at most {last.Threshold:g4} among the {last.Of:N0} compared in round {last.Round}")
        : "";

    private static IEnumerable<ReportPart> Searched(AutoPruneReport report)
    {
        yield return new ReportText($"Budget {report.Budget}; {report.Trials.Count} candidates measured.");
        foreach (var part in ReportSections.Cut(["layer", "there were", "left", "gone"],
            [.. report.Layers.Select(layer => (string[])[layer.Layer, Number(layer.Total),
            Number(layer.Kept), (100 * layer.Sparsity).ToString("0.0", CultureInfo.InvariantCulture) + "%"])], "layers"))
        {
            yield return part;
        }

        if (ReportCharts.Candidates(report) is { } chart)
        {
            yield return chart;
        }
    }

    private static IEnumerable<ReportPart> Quantized(QuantizationReport report)
    {
        var left = report.Unquantized.Select(layer => (string[])[layer.Layer, "as it was", layer.Reason])
            .Concat(report.Layers.Select(layer => (string[])[layer.Key, layer.Value, "chosen for the budget"])).ToArray();
        return left.Length == 0 ? [new ReportText($"All layers with weights became {report.Quantizer}, {report.Rounding}.")]
            : ReportSections.Cut(["layer", "form", "why"], left, "layers");
    }

    private static IEnumerable<ReportPart> Warnings(IReadOnlyList<string> warnings) => warnings.Select(warning => new ReportText($"Warning: {warning}"));

    private static string Number(long value) => ReportSections.Number(value);
}
