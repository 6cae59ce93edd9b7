using MLNet.Pruning.Data;
using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Scoring.Runtimes;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Evaluate;

/// <summary>Measures networks by several metrics, reading rows once.</summary>
internal static class EvaluationRun
{
    /// <summary>Measures the network of a chain.</summary>
    /// <param name="step">The network, its columns, and how it is scored.</param>
    /// <param name="rows">Rows as its step gets them.</param>
    /// <param name="training">Those that it was trained on; null where they are not at hand.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="gpu">The GPU that runs are timed on.</param>
    public static EvaluationReport Of(NeuralNetworkTransformer step, IDataView rows, IDataView? training, EvaluationOptions options, Lazy<int?> gpu)
    {
        var state = step.State;
        var (network, task) = (state.Network, state.Task);
        var metrics = options.Metrics ?? Usual(task, network.Output.RowSize);
        foreach (var metric in metrics)
        {
            Metric.Resolve(metric, task);
        }

        var rules = state.Training.Rows(state.SplitSeed, options.CancellationToken) with { ValidationFraction = 0, AreMeasured = true };
        Trial Try(IDataView view, Trial? other)
        {
            var data = TrainingRows.Read(view, network, state.Inputs, task, rules);
            return new(() => network)
            {
                Task = task, Data = data, Rows = data.TrainingRows, BatchSize = options.BatchSize, Cancellation = options.CancellationToken, Training = other,
                Gpu = gpu, Plan = step.Plan,
            };
        }

        var trial = metrics.Any(metric => metric.NeedsRows) ? Try(rows, training is null ? null : Try(training, null)) : WithoutRows(step.Plan, options, gpu);
        return Report(metrics, trial, state.Keys?.Names);
    }

    /// <summary>Measures a network on rows without labels, or on none.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="view">The rows; null for none.</param>
    /// <param name="options">What is measured, and which columns are read.</param>
    /// <param name="gpu">The GPU that runs are timed on.</param>
    public static EvaluationReport Of(Network network, IDataView? view, EvaluationOptions options, Lazy<int?> gpu)
    {
        var target = view?.Schema.GetColumnOrNull(options.LabelColumnName) is null ? null : options.LabelColumnName;
        var metrics = options.Metrics ?? [.. Metric.All.Where(metric => metric.IsCount || target is not null && metric.Tasks.Count == 0)];
        if (view is null || !metrics.Any(metric => metric.NeedsRows))
        {
            return metrics.FirstOrDefault(metric => metric.NeedsRows) is { } needy ? throw Trial.Lacks(needy, "rows to measure on")
                : Report(metrics, WithoutRows(ScoringPlan.Undecided(network), options, gpu));
        }

        var names = options.InputColumnNames is { Count: > 0 } given ? given
            : network.Inputs is [var only] && view.Schema.GetColumnOrNull(only.Name) is null ? ["Features"] : [.. network.Inputs.Select(input => input.Name)];
        var (rows, targets) = TargetRows.Read(view, network, NetworkInputs.Of(view.Schema, network, names, options.ImageLayout), target,
            options.CancellationToken);
        return Report(metrics, new(() => network)
        {
            Data = rows, Targets = targets, Rows = [.. Enumerable.Range(0, rows.Rows)], BatchSize = options.BatchSize, Cancellation = options.CancellationToken,
            Gpu = gpu,
        });
    }

    /// <summary>Whether a column says what outputs mean, as labels of rows do.</summary>
    public static bool IsLabel(DataViewSchema schema, string name) => schema.GetColumnOrNull(name) is { } column && TaskLabels.Of(column.Type) is not null;

    private static Trial WithoutRows(ScoringPlan plan, EvaluationOptions options, Lazy<int?> gpu)
        => new(() => plan.Network) { Cancellation = options.CancellationToken, Gpu = gpu, Plan = plan };

    /// <summary>What is measured where nothing is asked for: all that fits and takes no time to speak of.</summary>
    private static Metric[] Usual(LearningTask task, int outputs)
        => [.. Metric.All.Where(metric => metric.IsCount || metric.IsOfPredictions && metric.Tasks.Contains(task) && outputs > metric.MoreThan)];

    private static EvaluationReport Report(IReadOnlyList<Metric> metrics, Trial trial, IReadOnlyList<string>? classes = null)
        => new(metrics.Select(metric => new MetricValue(metric, metric.On(trial))).ToArray(),
            trial.Task is { IsClassification: true } && metrics.Any(metric => metric.IsOfPredictions) && trial.Predictions.Classes <= ClassConfusion.Limit
                ? ClassConfusion.Of(trial.Predictions, classes) : null);
}
