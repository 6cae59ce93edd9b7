using System.CommandLine;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options that say on which rows a command works, and what is measured there.</summary>
internal sealed class RowOptions
{
    private static readonly Dictionary<string, LearningTask> s_tasks = LearningTask.All.ToDictionary(task => task.Name.ToLowerInvariant());

    private readonly Option<FileInfo?> _data;

    private readonly Option<string?> _label = new("--label") { Description = "Name of the label's column." };

    private readonly Option<string?> _task = new("--task") { Description = "What the outputs mean. Default: multiclass where there are several." };

    private readonly Option<string?> _metric = new("--metric") { Description = "What is measured on rows held back: "
        + $"{string.Join(", ", Metric.All.Where(metric => metric.Tasks.Count > 0))}. Default: accuracy, R2 of a regression." };

    private readonly Option<int?> _gpu;
    private readonly bool _asksMetric;

    /// <param name="purpose">What the rows are for.</param>
    /// <param name="asksMetric">Whether one metric is asked for.</param>
    public RowOptions(string purpose, bool asksMetric = true)
    {
        _asksMetric = asksMetric;
        _gpu = new Option<int?>("--gpu") { Description = $"Number of the NVIDIA GPU that {(asksMetric ? "trains" : "runs are timed on")}; without it the CPU." }
            .Require(number => number >= 0, "a whole number of at least 0");
        _data = new("--data") { Description = $"{purpose}: a CSV file with a header; all columns but the label are the features, in order." };
    }

    /// <summary>The file of rows; null where none is given.</summary>
    public FileInfo? Data(ParseResult arguments) => arguments.GetValue(_data);

    /// <summary>The GPU that was asked for; null for the CPU.</summary>
    public int? Gpu(ParseResult arguments) => arguments.GetValue(_gpu);

    /// <summary>Whether a label's column is named.</summary>
    public bool HasLabel(ParseResult arguments) => arguments.GetValue(_label) is not null;

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _data, _label, _task, _gpu }.Concat(_asksMetric ? [_metric] : []))
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The rows; null where there are none.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="others">Options that mean nothing without rows.</param>
    public (FileInfo Data, string Label, LearningTask? Task, Metric? Metric)? Read(ParseResult arguments, params ReadOnlySpan<Option> others)
    {
        if (arguments.GetValue(_data) is not { } data)
        {
            Option[] needy = [_label, _task, .. _asksMetric ? [_metric, _gpu] : Array.Empty<Option>(), .. others];
            var useless = needy.FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false });
            return useless is null ? null : throw new UsageException($"{useless.Name} needs rows: give --data rows.csv and --label column.");
        }

        var label = arguments.GetValue(_label) ?? throw new UsageException("--data needs --label, the name of the label's column.");
        var task = arguments.GetValue(_task);
        return task is null || s_tasks.ContainsKey(task) ? (data, label, task is null ? null : s_tasks[task], _asksMetric ? ReadMetric(arguments) : null)
            : throw new UsageException($"--task is '{task}'; expected {string.Join(", ", s_tasks.Keys)}.");
    }

    private Metric? ReadMetric(ParseResult arguments)
    {
        try
        {
            return arguments.GetValue(_metric) is { } name ? Metric.Named(name) : null;
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--metric: {Tool.Reason(e)}");
        }
    }
}
