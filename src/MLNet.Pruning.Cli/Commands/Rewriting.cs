using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>A command that writes a model in another form, by rows where there are some.</summary>
internal sealed class Rewriting
{
    private readonly Argument<FileInfo> _model = new("model") { Description = "The ONNX file." };

    private readonly Option<FileInfo> _output = new("--output", "-o") { Description = "The file to write; an older one stays whole until the new one is.",
        Required = true };

    private readonly Option<Dictionary<string, int>> _sizes
        = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number, in the file that is written too");

    private readonly Option<int> _count;
    private readonly RowOptions _rows;
    private readonly Option<int>? _epochs;
    private readonly Option<double> _learningRate = FineTuningOptions.LearningRate();
    private readonly Option<int> _batchSize = FineTuningOptions.BatchSize();

    /// <param name="rows">What rows are for.</param>
    /// <param name="calibration">What is measured on them.</param>
    /// <param name="count">Rows that it is measured on unless asked otherwise.</param>
    /// <param name="training">What epochs do in it; null where nothing is trained.</param>
    public Rewriting(string rows, string calibration, int count, string? training = null)
    {
        _epochs = training is null ? null : new Option<int>("--epochs") { Description = training, DefaultValueFactory = _ => 0 }.AtLeast(0);
        _rows = new(rows);
        _count = new Option<int>("--calibration-rows") { Description = $"Rows that {calibration} measured on.", DefaultValueFactory = _ => count }.AtLeast(1);
    }

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        foreach (var option in (Option[])[_output, _count, _sizes, .. Training])
        {
            command.Options.Add(option);
        }

        _rows.AddTo(command);
    }

    private Option[] Training => _epochs is null ? [] : [_epochs, _learningRate, _batchSize];

    /// <summary>How many epochs it trains.</summary>
    /// <exception cref="UsageException">None, and there are options that say how.</exception>
    public int Epochs(ParseResult arguments)
    {
        var epochs = _epochs is null ? 0 : arguments.GetValue(_epochs);
        return epochs > 0 || Training.Skip(1).FirstOrDefault(option => arguments.GetResult(option) is { Implicit: false }) is not { } useless ? epochs
            : throw new UsageException($"{useless.Name} is of training, and nothing is trained: give --epochs.");
    }

    /// <summary>How many rows are looked at.</summary>
    public int Count(ParseResult arguments) => arguments.GetValue(_count);

    /// <summary>Reads the model, changes it and writes it.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="what">What is done, for the progress.</param>
    /// <param name="step">The step of a chain that does it, for the metric that was asked for.</param>
    /// <param name="alone">What does it without rows.</param>
    /// <param name="answer">The answer, by the files before and after; the report is that of the step, where there are rows.</param>
    public Answer Run<TReport>(ParseResult arguments, string what, Func<MLContext, Network, Metric?, IEstimator<NeuralNetworkTransformer>> step,
        Func<Network, Network> alone, Func<FileSummary, FileSummary, TReport?, Answer> answer)
        where TReport : StepReport
    {
        var given = _rows.Read(arguments, [_count, .. Training]);
        var (file, written, seed) = (arguments.GetRequiredValue(_model), arguments.GetRequiredValue(_output), arguments.GetValue(Tool.Seed));
        // A command that trains nothing has no such options.
        var (rate, batch) = _epochs is null ? (FineTuningOptions.DefaultLearningRate, FineTuningOptions.DefaultBatchSize)
            : (arguments.GetValue(_learningRate), arguments.GetValue(_batchSize));
        return Progress.Run(arguments, what, progress =>
        {
            var network = NetworkFile.Read(file, arguments.GetRequiredValue(_sizes));
            var before = FileSummary.Of(file, NetworkCost.Of(network));
            var (small, report) = given is { } found ? new FineTuning(found.Data, found.Label, found.Task, rate, batch, seed, _rows.Gpu(arguments))
                .Fit<TReport>(network, ml => step(ml, network, found.Metric), progress) : (Alone(network, alone), null);
            NetworkFile.Write(small, written);
            return answer(before, FileSummary.Of(written, NetworkCost.Of(small)), report);
        });
    }

    private static Network Alone(Network network, Func<Network, Network> alone)
    {
        try
        {
            return alone(network);
        }
        catch (InvalidOperationException e) when (e is not PruningTargetException)
        {
            throw new UsageException($"{Tool.Reason(e)} Give --data rows.csv and --label column.");
        }
    }
}
