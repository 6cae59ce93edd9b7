using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune evaluate: what networks measure by metrics that are named, side by side.</summary>
internal sealed class EvaluateCommand
{
    private readonly Argument<FileInfo[]> _models = new("models") { Description = "ONNX files.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string[]> _metrics = new("--metrics")
    {
        Description = $"What is measured, names with commas between: {string.Join(", ", Metric.All)}, FID, mAP; also top-k of any k, latency-p of any percent, "
            + "times of a batch as latency(32), any of predictions on changed rows as \"accuracy under Fgsm(0.1)\", and \"gap of accuracy\". "
            + "Default: all that fit and take no time.",
        HelpName = "a,b",
    };

    private readonly Option<FileInfo?> _training = new("--training") { Description = "Rows that the models were trained on, as --data has them, for gaps." };

    private readonly Option<FileInfo?> _targets = new("--targets")
    {
        Description = "Images that outputs should be, row by row of --data: a CSV file with a header. For PSNR, SSIM and FID.",
    };

    private readonly Option<FileInfo?> _features = new("--features")
    {
        Description = "ONNX file of the network whose outputs are the features that FID compares.",
    };

    private readonly Detections _detections = new();
    private readonly Option<Dictionary<string, int>> _sizes = RandomInputOptions.Sizes("Gives sizes that the models leave open a number");
    private readonly RowOptions _rows = new("Rows to measure on", asksMetric: false);

    public static Command Create()
    {
        var options = new EvaluateCommand();
        var command = new Command("evaluate", "What networks measure, cost and take, side by side.") { options._models, options._metrics };
        options._rows.AddTo(command);
        foreach (var option in new Option[] { options._training, options._targets, options._features, options._sizes })
        {
            command.Options.Add(option);
        }

        options._detections.AddTo(command);
        command.SetAnswer(options.Run);
        return command;
    }

    private Evaluated Run(ParseResult arguments)
    {
        var (data, targets, training) = (_rows.Data(arguments), arguments.GetValue(_targets), arguments.GetValue(_training));
        if (targets is not null && (data is null || _rows.HasLabel(arguments) || training is not null))
        {
            throw new UsageException("--targets goes with --data, without --label and --training: rows have images that outputs should be, or labels.");
        }

        var objects = _detections.File(arguments);
        if (objects is not null && (data is null || _rows.HasLabel(arguments) || targets is not null || training is not null))
        {
            throw new UsageException("--objects goes with --data, without --label, --targets and --training: rows are images in which there are objects.");
        }

        var metrics = Metrics(arguments);
        var labelled = targets is null && objects is null ? _rows.Read(arguments, _training) : null;
        var ml = new MLContext(arguments.GetValue(Tool.Seed)) { GpuDeviceId = _rows.Gpu(arguments), FallbackToCpu = false };
        return Progress.Run(arguments, "evaluating", progress => new Evaluated([.. arguments.GetRequiredValue(_models).Select(model =>
        {
            var network = NetworkFile.Read(model, arguments.GetRequiredValue(_sizes));
            progress.Say(model.Name);
            IDataView? Load(FileInfo? file) => labelled is not { } rows || file is null ? null
                : new CsvRows(ml, file, rows.Label).Load(rows.Task ?? TaskOf(network), network.Output.RowSize);
            var view = objects is not null ? CsvRows.Images(ml, data!) : targets is null ? Load(data) : CsvRows.Pairs(ml, data!, targets);
            var report = ml.Compression().Evaluate(network, view, new EvaluationOptions
            {
                Metrics = metrics, InputColumnNames = view is null ? null : [CsvRows.Features], LabelColumnName = CsvRows.LabelColumn,
                TrainingData = Load(training),
            });
            return ModelEvaluation.Of(model, report);
        })]));
    }

    private static LearningTask TaskOf(Network network) => network.Output.RowSize > 1 ? LearningTask.Multiclass
        : throw new UsageException("A network with one output may be of either task: give --task binary or --task regression.");

    private Metric[]? Metrics(ParseResult arguments)
    {
        if (arguments.GetValue(_metrics) is not { Length: > 0 } given)
        {
            return null;
        }

        try
        {
            return [.. given.SelectMany(Split).Select(name => name.Equals("FID", StringComparison.OrdinalIgnoreCase)
                ? Metric.FrechetInceptionDistance(NetworkFile.Read(arguments.GetValue(_features)
                    ?? throw new UsageException("FID needs --features, the network whose outputs are the features.")))
                : _detections.Metric(arguments, name) ?? Metric.Named(name))];
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--metrics: {Tool.Reason(e)}");
        }
    }

    /// <summary>The names between commas that lie in no brackets.</summary>
    private static IEnumerable<string> Split(string names)
    {
        var (start, depth) = (0, 0);
        for (var i = 0; i <= names.Length; i++)
        {
            if (i == names.Length || names[i] == ',' && depth == 0)
            {
                if (names[start..i].Trim() is { Length: > 0 } name)
                {
                    yield return name;
                }

                start = i + 1;
            }
            else
            {
                depth += names[i] == '(' ? 1 : names[i] == ')' ? -1 : 0;
            }
        }
    }
}
