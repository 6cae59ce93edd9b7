using System.CommandLine;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Options of prune that say on which rows it measures and fine-tunes, and how.</summary>
internal sealed class FineTuningOptions
{
    public const double DefaultLearningRate = 1e-3;
    public const int DefaultBatchSize = 64;

    private readonly RowOptions _rows = new("Rows to measure on and to fine-tune with");

    private readonly Option<int> _epochs = new Option<int>("--fine-tune-epochs") { Description = "Epochs of fine-tuning after each step.",
        DefaultValueFactory = _ => 5 }.AtLeast(0);

    private readonly Option<string?> _schedule = Choices.Option<Schedule>("--schedule", "How fast, in n steps or by a share of what is left each", "oneshot");

    private readonly Option<string?> _tolerance = Choices.Option<Tolerance>("--tolerance",
        "How much of the metric may be lost; the last step that keeps to it is written. Default: no limit", null);

    private readonly Option<double> _learningRate = LearningRate();

    private readonly Option<int> _batchSize = BatchSize();

    /// <summary>How fast a command that trains does so.</summary>
    public static Option<double> LearningRate() => new Option<double>("--learning-rate") { Description = "Step size of Adam.",
        DefaultValueFactory = _ => DefaultLearningRate }
        .Require(rate => rate > 0 && double.IsFinite(rate), "a number above 0");

    /// <summary>On how many rows at a time.</summary>
    public static Option<int> BatchSize() => new Option<int>("--batch-size") { Description = "Rows in a step of training.",
        DefaultValueFactory = _ => DefaultBatchSize }
        .AtLeast(1);

    public void AddTo(Command command)
    {
        _rows.AddTo(command);
        foreach (var option in Own)
        {
            command.Options.Add(option);
        }
    }

    private Option[] Own => [_epochs, _schedule, _tolerance, _learningRate, _batchSize];

    /// <summary>How to fine-tune, null without rows. Sets the schedule and the epochs.</summary>
    public FineTuning? Read(ParseResult arguments, int seed, ref PruningOptions pruning)
    {
        if (_rows.Read(arguments, Own) is not { } rows)
        {
            return null;
        }

        pruning = pruning with
        {
            Schedule = Choices.Parse<Schedule>(arguments.GetRequiredValue(_schedule)!),
            FineTuneEpochs = arguments.GetValue(_epochs),
            Metric = rows.Metric,
            Tolerance = arguments.GetValue(_tolerance) is { } tolerance ? Choices.Parse<Tolerance>(tolerance) : null,
        };
        return new(rows.Data, rows.Label, rows.Task, arguments.GetValue(_learningRate), arguments.GetValue(_batchSize), seed, _rows.Gpu(arguments));
    }
}
