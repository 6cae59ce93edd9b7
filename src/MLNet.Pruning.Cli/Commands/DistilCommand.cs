using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune distil: a smaller model that learns from a larger one.</summary>
internal static class DistilCommand
{
    private const int DefaultEpochs = 20;

    public static Command Create()
    {
        var teacher = new Argument<FileInfo>("teacher") { Description = "The ONNX file of the model that teaches." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "The file to write; an older one stays whole until the new one is.",
            Required = true };
        var student = new Option<FileInfo?>("--student") { Description = "ONNX file of the model that learns, whose values it starts from. Without it the "
            + "student is cut out of the teacher by --width and --depth." };
        var width = Share("--width", "Share of the units that each layer of the teacher keeps in the student");
        var depth = Share("--depth", "Share of the teacher's residual blocks, or without such of its layers that give the shape they read, that the student "
            + "keeps");
        var by = Choices.Option<Distillation>("--by", "What is learned from the teacher beside the labels, several joined by +", "response(4, 0.9)");
        var sizes = RandomInputOptions.Sizes("Gives sizes that the teacher leaves open a number");
        var rows = new RowOptions("Rows to train on and to measure on");
        var epochs = new Option<int>("--epochs") { Description = "Epochs of training.", DefaultValueFactory = _ => DefaultEpochs }.AtLeast(1);
        var (rate, batch) = (FineTuningOptions.LearningRate(), FineTuningOptions.BatchSize());
        var command = new Command("distil", "Trains a smaller model on labels and on what a larger one says of the same rows.")
        {
            teacher, output, student, width, depth, by, sizes,
        };
        rows.AddTo(command);
        foreach (var option in new Option[] { epochs, rate, batch })
        {
            command.Options.Add(option);
        }

        command.SetAnswer(arguments =>
        {
            var given = rows.Read(arguments) ?? throw new UsageException("A student learns from rows: give --data rows.csv and --label column.");
            var (share, kept) = (arguments.GetValue(width), arguments.GetValue(depth));
            if (arguments.GetValue(student) is null == (share == 1 && kept == 1))
            {
                throw new UsageException("The student is a model of its own (--student), or is cut out of the teacher (--width, --depth): give one of them.");
            }

            var distillation = Choices.Parse<Distillation>(arguments.GetRequiredValue(by)!);
            var (file, to, seed) = (arguments.GetRequiredValue(teacher), arguments.GetRequiredValue(output), arguments.GetValue(Tool.Seed));
            var tuning = new FineTuning(given.Data, given.Label, given.Task, arguments.GetValue(rate), arguments.GetValue(batch), seed, rows.Gpu(arguments));
            return Progress.Run(arguments, "distilling", progress =>
            {
                var network = NetworkFile.Read(file, arguments.GetRequiredValue(sizes));
                var learner = arguments.GetValue(student) is { } own ? NetworkFile.Read(own, new Dictionary<string, int>()) : network.Shrink(share, kept);
                var options = new NeuralNetworkOptions
                {
                    Epochs = arguments.GetValue(epochs), LearningRate = tuning.LearningRate, BatchSize = tuning.BatchSize, Distillation = distillation,
                    Metric = given.Metric, FeatureColumnName = CsvRows.Features, LabelColumnName = CsvRows.LabelColumn, Seed = seed, Progress = progress.Epochs,
                };
                var (small, report) = tuning.Fit<TrainingReport>(network, ml => ml.Transforms.Distill(_ => learner, options), progress);
                NetworkFile.Write(small, to);
                return Distilled.Of(FileSummary.Of(file, NetworkCost.Of(network)), FileSummary.Of(to, NetworkCost.Of(small)), distillation, report);
            });
        });
        return command;
    }

    private static Option<double> Share(string name, string description) => new Option<double>(name) { Description = $"{description}, in (0, 1].",
        DefaultValueFactory = _ => 1 }.Require(share => share is > 0 and <= 1, "a number in (0, 1]");
}
