using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning.Pipeline.Reports;

/// <summary>What a report says, section by section.</summary>
internal static class ReportSections
{
    /// <summary>Rows of a table, beyond which it is cut.</summary>
    public const int MostRows = 200;

    public static IReadOnlyList<ReportSection> Of(CompressionReport report)
    {
        var (steps, options) = (report.Steps, report.Options);
        var (first, last) = (steps[0], steps[^1]);
        List<ReportSection> sections =
        [
            new("In figures", [.. options.Description is { Length: > 0 } text ? [new ReportText(text)] : Array.Empty<ReportPart>(), Figures(first, last)]),
            new("Steps", [StepTable(steps), .. ReportCharts.Frontier(steps), .. ReportCharts.Epochs(steps)]),
        ];
        if (first.Network is { } before && last.Network is { } after)
        {
            sections.Add(new("Layers before and after", [.. Layers(first.Cost, last.Cost)]));
            sections.Add(new("What went, and why", [.. WhatWent.Of(steps)]));
            sections.Add(new("Weights before (light) and after (dark)", [.. ReportCharts.Weights(before, after)], IsInCard: false, IsInNotebook: false));
            sections.Add(new("Bytes by encoding", [.. Encodings(last.Cost.Storage)], IsInCard: false, IsInNotebook: false));
        }
        else
        {
            sections.Add(new("What went, and why", [.. WhatWent.Of(steps)]));
        }

        if (options.Sensitivity is { } sensitivity)
        {
            sections.Add(new("What each layer tolerates", [new ReportPicture(sensitivity.Chart.Draw(),
                $"{sensitivity.Granularity} by {sensitivity.Importance}, "
                + "one layer at a time, all others whole")], IsInCard: false, IsInNotebook: false));
        }

        sections.Add(new("Settings that repeat it", [.. Settings(steps)], IsInNotebook: false));
        return [.. sections.Where(section => section.Parts.Count > 0)];
    }

    public static ReportTable StepTable(IReadOnlyList<ReportedStep> steps)
    {
        var metric = steps.Select(step => step.Validation?.Name).OfType<string>().FirstOrDefault();
        bool isTimed = steps.Any(step => step.Milliseconds is not null), isTree = steps[^1].Cost.Trees is not null;
        return new(["step", isTree ? "nodes and leaves" : "parameters", "non-zeros", .. isTree ? Array.Empty<string>() : ["multiply-adds"], "bytes",
            .. isTimed ? ["one row"] : Array.Empty<string>(), .. metric is null ? Array.Empty<string>() : ["validation " + metric]],
            [.. steps.Select(step => (string[])[step.Name, Number(step.Cost.Total.Parameters), Number(step.Cost.Total.NonZeros),
                .. isTree ? Array.Empty<string>() : [step.Cost.Total.LiveMultiplyAddsFormula], Number(step.Bytes),
                .. isTimed ? [Time(step.Milliseconds)] : Array.Empty<string>(), .. metric is null ? Array.Empty<string>() : [step.Validation?.Text ?? ""]])]);
    }

    /// <summary>A table that is not longer than a page should be, with a line that says what it lacks.</summary>
    public static IEnumerable<ReportPart> Cut(IReadOnlyList<string> header, IReadOnlyList<string[]> rows, string what)
    {
        yield return new ReportTable(header, [.. rows.Take(MostRows)]);
        if (rows.Count > MostRows)
        {
            yield return new ReportText($"The first {MostRows} of {Number(rows.Count)} {what}.");
        }
    }

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(double? milliseconds) => milliseconds is { } time
        ? time.ToString(time < 1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture) + " ms"
        : "";

    private static ReportFigures Figures(ReportedStep first, ReportedStep last)
    {
        static string Ratio(double before, double after) => after <= 0 ? "" : Math.Abs(before / after - 1) < 0.05 ? "much the same" : before >= after
            ? string.Create(CultureInfo.InvariantCulture, $"{before / after:0.0}x smaller")
            : string.Create(CultureInfo.InvariantCulture, $"{after / before:0.0}x larger");
        static (string, string, string, string) Count(string name, long before, long after) => (name, Number(before), Number(after), Ratio(before, after));
        var (was, now) = (first.Cost.Total, last.Cost.Total);
        return new([
            Count("bytes", first.Bytes, last.Bytes),
            Count(last.Cost.Trees is null ? "parameters" : "nodes and leaves", was.Parameters, now.Parameters),
            .. last.Cost.Trees is null ? [Count("non-zero parameters", was.NonZeros, now.NonZeros)] : Array.Empty<(string, string, string, string)>(),
            .. was.LiveMultiplyAdds is { } before and > 0 && now.LiveMultiplyAdds is { } after
                ? [Count("live multiply-adds", before, after)] : Array.Empty<(string, string, string, string)>(),
            .. first.Milliseconds is { } slow && last.Milliseconds is { } fast ? [("one row, this machine", Time(slow), Time(fast), slow >= fast
                ? string.Create(CultureInfo.InvariantCulture, $"{slow / fast:0.0}x as fast")
                : string.Create(CultureInfo.InvariantCulture, $"{fast / slow:0.0}x slower"))] : Array.Empty<(string, string, string, string)>(),
            .. last.Validation is { } value ? [($"validation {value.Name}", first.Validation?.Text ?? "", value.Text, first.Validation is { } start
                ? string.Create(CultureInfo.InvariantCulture, $"{value.Metric - start.Metric:+0.####;-0.####;0}") : "")]
                : Array.Empty<(string, string, string, string)>(),
        ]);
    }

    private static IEnumerable<ReportPart> Layers(NetworkCost before, NetworkCost after)
    {
        var now = after.Layers.ToDictionary(layer => layer.Name);
        var names = before.Layers.Select(layer => layer.Name).ToHashSet();
        string[] Row(string name, LayerCost? was, LayerCost? one) => [name, (one ?? was)!.Operator, was is null ? "" : Number(was.Parameters),
            one is null ? "gone" : Number(one.Parameters), one is null ? "" : Number(one.NonZeros), was?.LiveMultiplyAddsFormula ?? "",
            one?.LiveMultiplyAddsFormula ?? "",
            was is { Parameters: > 0 } && one is not null ? (1 - (double)one.NonZeros / was.Parameters).ToString("P1", CultureInfo.InvariantCulture)
                .Replace(" ", "",
                StringComparison.Ordinal) : ""];
        // What rounds between layers and other nodes without values are no layers to a reader.
        return Cut(["layer", "operator", "parameters", "left", "not zero", "multiply-adds", "left", "gone or zero"],
            [.. before.Layers.Where(layer => layer.Parameters > 0 || layer.MultiplyAdds is not 0).Select(layer => Row(layer.Name, layer,
                now.GetValueOrDefault(layer.Name))),
                .. after.Layers.Where(layer => layer.Parameters > 0 && !names.Contains(layer.Name)).Select(layer => Row(layer.Name, null, layer))], "layers");
    }

    private static IEnumerable<ReportPart> Encodings(StorageCost storage)
    {
        if (storage.Tensors.Length == 0)
        {
            return [];
        }

        var dense = storage.Total.Bytes[WeightEncoding.Dense];
        // The largest first; scales and other single numbers say nothing.
        var tensors = storage.Tensors.Where(tensor => tensor.Bytes[WeightEncoding.Dense] > sizeof(float))
            .OrderByDescending(tensor => tensor.Bytes[WeightEncoding.Dense]).ThenBy(tensor => tensor.Name, StringComparer.Ordinal);
        return [
            new ReportTable(["all weights as", "bytes", "smaller than dense"], [.. storage.Total.Bytes.OrderByDescending(pair => pair.Value).Select(pair
                => (string[])[$"{pair.Key}", Number(pair.Value), string.Create(CultureInfo.InvariantCulture, $"{(double)dense / pair.Value:0.00}x")])]),
            .. Cut(["tensor", "dense bytes", "smallest as", "bytes"], [.. tensors.Select(tensor => (string[])[tensor.Name,
                Number(tensor.Bytes[WeightEncoding.Dense]), $"{tensor.Smallest}", Number(tensor.Bytes[tensor.Smallest])])], "tensors"),
        ];
    }

    private static IEnumerable<ReportPart> Settings(IReadOnlyList<ReportedStep> steps)
    {
        var rows = steps.SelectMany(step => step.Report?.Settings.Select(setting => (string[])[step.Name, setting.Key, setting.Value]) ?? []).ToArray();
        if (rows.Length > 0)
        {
            foreach (var part in Cut(["step", "option", "value"], rows, "settings"))
            {
                yield return part;
            }
        }

        yield return new ReportText($"Options that are not named are as they are by default. Made by MLNet.Pruning {Version}, "
            + $"{RuntimeInformation.FrameworkDescription}, "
            + $"on {RuntimeInformation.OSDescription} ({RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors, dot products of "
                + "bytes: "
            + $"{(QuantizationTarget.Detect() == QuantizationTarget.DotProducts ? "yes" : "no")}); times are medians on that machine.");
    }

    public static string Version { get; } = typeof(ReportSections).Assembly.GetName().Version!.ToString(3);
}
