using System.CommandLine;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options of prune that say on which rows it measures and fine-tunes, and how.</summary>
internal sealed class FineTuningOptions
{
    private readonly Option<FileInfo?> _data = new("--data") { Description = "Rows to measure on and to fine-tune with: a CSV file with a header; all columns "
        + "but the label are the features, in order." };

    private readonly Option<string?> _label = new("--label") { Description = "Name of the label's column." };

    private readonly Option<string?> _task = new("--task") { Description = "What the outputs mean. Default: multiclass where there are several." };

    private readonly Option<string?> _metric = new Option<string?>("--metric") { Description = "What is measured on rows held back: "
        + $"{string.Join(", ", Metric.All)}. Default: accuracy, R2 of a regression." };

    private readonly Option<int> _epochs = new Option<int>("--fine-tune-epochs") { Description = "Epochs of fine-tuning after each step.",
        DefaultValueFactory = _ => 5 }.AtLeast(0);

    private readonly Option<string?> _schedule = Choices.Option<Schedule>("--schedule", "How fast, in n steps or by a share of what is left each", "oneshot");

    private readonly Option<string?> _tolerance = Choices.Option<Tolerance>("--tolerance",
        "How much of the metric may be lost; the last step that keeps to it is written. Default: no limit", null);

    private readonly Option<double> _learningRate = new Option<double>("--learning-rate") { Description = "Step size of Adam.",
        DefaultValueFactory = _ => 1e-3 }
        .Require(rate => rate > 0 && double.IsFinite(rate), "a number above 0");

    private readonly Option<int> _batchSize = new Option<int>("--batch-size") { Description = "Rows in a step of training.", DefaultValueFactory = _ => 64 }
        .AtLeast(1);

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _data, _label, _task, _metric, _epochs, _schedule, _tolerance, _learningRate, _batchSize })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>How to fine-tune, null without rows. Sets the schedule and the epochs.</summary>
    public FineTuning? Read(ParseResult arguments, Dictionary<string, LearningTask> tasks, int seed, ref PruningOptions pruning)
    {
        if (arguments.GetValue(_data) is not { } data)
        {
            var useless = new Option[] { _label, _task, _metric, _epochs, _schedule, _tolerance, _learningRate, _batchSize }
                .FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false });
            return useless is null ? null : throw new UsageException($"{useless.Name} needs rows: give --data rows.csv and --label column.");
        }

        var label = arguments.GetValue(_label) ?? throw new UsageException("--data needs --label, the name of the label's column.");
        var task = arguments.GetValue(_task);
        if (task is not null && !tasks.ContainsKey(task))
        {
            throw new UsageException($"--task is '{task}'; expected {string.Join(", ", tasks.Keys)}.");
        }

        pruning = pruning with
        {
            Schedule = Choices.Parse<Schedule>(arguments.GetRequiredValue(_schedule)!),
            FineTuneEpochs = arguments.GetValue(_epochs),
            Metric = ReadMetric(arguments),
            Tolerance = arguments.GetValue(_tolerance) is { } tolerance ? Choices.Parse<Tolerance>(tolerance) : null,
        };
        return new(data, label, task is null ? null : tasks[task], arguments.GetValue(_learningRate), arguments.GetValue(_batchSize), seed);
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
