using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning.Pipeline.Reports;

/// <summary>The pictures of a report.</summary>
internal static class ReportCharts
{
    private const int MostLayers = 24;
    private const int Bins = 32;

    /// <summary>The metric against the bytes of the model after each step.</summary>
    public static IEnumerable<ReportPart> Frontier(IReadOnlyList<ReportedStep> steps)
    {
        var measured = steps.Where(step => step.Validation is { } result && double.IsFinite(result.Metric)).ToArray();
        if (measured.Length < 2 || measured.Select(step => step.Validation!.Name).Distinct().Count() > 1)
        {
            yield break;
        }

        var metric = measured[0].Validation!.Name;
        var chart = new LineChart($"Validation {metric} against bytes", "bytes of the model", metric, Marks([.. measured.Select(step => (double)step.Bytes)]),
            [.. measured.Select(step => new ChartLine(step.Name, $"{step.Name}: {ReportSections.Number(step.Bytes)} bytes, {step.Validation!.Text}",
                [(step.Bytes, step.Validation!.Metric)], IsJoined: false))]) { IsLogarithmic = true };
        yield return new ReportPicture(chart.Draw(), "Accuracy against size, step by step");
    }

    /// <summary>The metric of a search's candidates against what it made small; null where fewer than two are measured.</summary>
    public static ReportPicture? Candidates(AutoPruneReport report)
    {
        var trials = report.Trials.Where(trial => trial.Size > 0 && double.IsFinite(trial.Validation.Metric)).ToArray();
        if (trials.Length < 2)
        {
            return null;
        }

        var measure = report.Costs.FirstOrDefault(cost => cost.Limit is null) ?? report.Costs[0];
        ChartLine Points(string name, bool meets) => new(name, name, [.. trials.Where(trial => trial.Meets == meets)
            .Select(trial => (trial.Size, trial.Validation.Metric))], IsJoined: false);
        return new(new LineChart("Candidates", BudgetLimit.Text(measure.Measure), report.Before.Name, Marks([.. trials.Select(trial => trial.Size)]),
            [Points("within the budget", true), Points("outside", false)]) { IsLogarithmic = true }.Draw(), "Candidates of the search");
    }

    /// <summary>The metric by epoch of each step that trained.</summary>
    public static IEnumerable<ReportPart> Epochs(IReadOnlyList<ReportedStep> steps)
    {
        foreach (var step in steps)
        {
            var epochs = step.Report switch
            {
                TrainingReport training => training.Epochs,
                QuantizationReport quantized => quantized.Epochs,
                _ => [],
            };
            var measured = epochs.Where(epoch => epoch.Validation is { } result && double.IsFinite(result.Metric)).ToArray();
            if (measured.Length < 2)
            {
                continue;
            }

            var every = (measured.Length + 9) / 10;
            var floats = measured.Where(epoch => epoch.Floats is not null).ToArray();
            yield return new ReportPicture(new LineChart($"Validation {measured[0].Validation!.Name} by epoch: {step.Name}", "epoch",
                measured[0].Validation!.Name,
                [.. measured.Where((_, i) => i % every == 0 || i == measured.Length - 1).Select(epoch => (double)epoch.Epoch)],
                [new(step.Name, floats.Length > 0 ? "rounded" : step.Name, [.. measured.Select(epoch => ((double)epoch.Epoch, epoch.Validation!.Metric))]),
                    .. floats.Length > 0 ? [new ChartLine("floats", "without rounding",
                        [.. floats.Select(epoch => ((double)epoch.Epoch, epoch.Floats!.Metric))])]
                        : Array.Empty<ChartLine>()]).Draw(), $"Epochs of the step \"{step.Name}\"");
        }
    }

    /// <summary>The weights of each layer that are not zero, before and after, on the same bins.</summary>
    public static IEnumerable<ReportPart> Weights(Network before, Network after)
    {
        var names = before.Layers.SelectMany(layer => layer.Weights).Distinct().Where(name => before[name].Count > 1).ToArray();
        foreach (var name in names.OrderByDescending(name => before[name].Count).Take(MostLayers).OrderBy(name => names.IndexOf(name)))
        {
            if (!after.TryGetParameter(name, out var now) || before[name].Values.ToArray() is not { } was || was.All(value => value == 0))
            {
                continue;
            }

            var edges = ImportanceHistogram.EdgesOf(was);
            edges = [.. Enumerable.Range(0, Bins + 1).Select(i => edges[0] + (edges[^1] - edges[0]) * i / Bins)];
            long[] Count(ReadOnlySpan<float> values)
            {
                var counts = new long[Bins];
                foreach (var value in values)
                {
                    if (value != 0)
                    {
                        counts[ImportanceHistogram.Bin(edges, value)]++;
                    }
                }

                return counts;
            }

            var (all, left) = (Count(was), Count(now.Values));
            yield return new ReportPicture(BeforeAfterBars.Draw(edges, all, left), $"{name}: {ReportSections.Number(left.Sum())} of "
                + $"{ReportSections.Number(all.Sum())} not zero");
        }

        if (names.Length > MostLayers)
        {
            yield return new ReportText($"The {MostLayers} largest of {names.Length} weights.");
        }
    }

    /// <summary>Numbers of one or two digits and zeros, from below the smallest to above the largest.</summary>
    private static double[] Marks(double[] values)
    {
        double[] steps = [1, 2, 5];
        var (low, high) = (values.Min(), values.Max());
        var all = Enumerable.Range((int)Math.Floor(Math.Log10(low)), (int)Math.Ceiling(Math.Log10(high)) - (int)Math.Floor(Math.Log10(low)) + 1)
            .SelectMany(power => steps.Select(step => step * Math.Pow(10, power))).ToArray();
        var (first, last) = (Array.FindLastIndex(all, mark => mark <= low), Array.FindIndex(all, mark => mark >= high));
        var marks = all[first..((last < 0 ? all.Length - 1 : last) + 1)];
        return marks.Length > 1 ? marks : [marks[0], 2 * marks[0]];
    }
}
