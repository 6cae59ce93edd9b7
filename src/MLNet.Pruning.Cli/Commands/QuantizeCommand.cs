using System.CommandLine;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune quantize: the same model in integers or shorter floats.</summary>
internal static class QuantizeCommand
{
    private const double LearningRate = 1e-3;
    private const int BatchSize = 64;

    public static Command Create()
    {
        var model = new Argument<FileInfo>("model") { Description = "The ONNX file." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "The file to write; an older one stays whole until the new one is.",
            Required = true };
        var to = Choices.Option<Quantizer>("--to", "What weights become, and with int8 the values between layers", "int8");
        var range = Choices.Option<QuantizationRange>("--range", "Range of the values between layers", "min-max");
        var rounding = Choices.Option<WeightRounding>("--rounding", "Which of the integers around it a weight becomes", "nearest");
        var preparation = Choices.Option<QuantizationPreparation>("--preparation", "What is done to the floats first, several joined by +", null);
        var target = Choices.Option<QuantizationTarget>("--target", "Machines it is to run on: any takes weights of 7 bits, dot-products of 8", "any");
        var count = new Option<int>("--calibration-rows") { Description = "Rows that ranges and what rounding does are measured on.",
            DefaultValueFactory = _ => 512 }.AtLeast(1);
        var sizes = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number, in the file that is written too");
        var rows = new RowOptions("Rows to measure ranges on, and the model before and after");
        var command = new Command("quantize", "Rounds a model's weights to integers or shorter floats, and with int8 what lies between its layers.")
        {
            model, output, to, range, rounding, preparation, target, count, sizes,
        };
        rows.AddTo(command);
        command.SetAnswer(arguments =>
        {
            var options = new QuantizationOptions
            {
                Quantizer = Choices.Parse<Quantizer>(arguments.GetRequiredValue(to)!),
                Range = Choices.Parse<QuantizationRange>(arguments.GetRequiredValue(range)!),
                Rounding = Choices.Parse<WeightRounding>(arguments.GetRequiredValue(rounding)!),
                Preparation = arguments.GetValue(preparation) is { } text ? Choices.Parse<QuantizationPreparation>(text) : null,
                Target = Choices.Parse<QuantizationTarget>(arguments.GetRequiredValue(target)!),
                CalibrationRows = arguments.GetValue(count),
                Seed = arguments.GetValue(Tool.Seed),
            };
            var given = rows.Read(arguments, count);
            var (file, written) = (arguments.GetRequiredValue(model), arguments.GetRequiredValue(output));
            return Progress.Run("quantising", say =>
            {
                var network = Network.FromOnnx(file.ToString(), arguments.GetRequiredValue(sizes));
                var before = FileSummary.Of(file, NetworkCost.Of(network));
                var (small, report) = given is { } found
                    ? new FineTuning(found.Data, found.Label, found.Task, LearningRate, BatchSize, arguments.GetValue(Tool.Seed))
                        .Fit<QuantizationReport>(network, ml => ml.Transforms.Quantize(options with { Metric = found.Metric }), say)
                    : (Quantize(network, options), null);
                small.SaveOnnx(written.ToString());
                return Quantized.Of(before, FileSummary.Of(written, NetworkCost.Of(small)), options, report);
            });
        });
        return command;
    }

    /// <summary>The network quantised without rows.</summary>
    /// <exception cref="UsageException">The form needs some.</exception>
    public static Network Quantize(Network network, QuantizationOptions options)
    {
        try
        {
            return network.Quantize(options.Quantizer, default, options.Range, options.Rounding, options.Target, options.Preparation);
        }
        catch (InvalidOperationException e)
        {
            throw new UsageException($"{Tool.Reason(e)} Give --data rows.csv and --label column.");
        }
    }
}
