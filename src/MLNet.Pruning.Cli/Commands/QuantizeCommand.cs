using System.CommandLine;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune quantize: the same model in integers or shorter floats.</summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        var to = Choices.Option<Quantizer>("--to", "What weights become, and with int8 the values between layers", "int8");
        var range = Choices.Option<QuantizationRange>("--range", "Range of the values between layers", "min-max");
        var rounding = Choices.Option<WeightRounding>("--rounding", "Which of the integers around it a weight becomes", "nearest");
        var preparation = Choices.Option<QuantizationPreparation>("--preparation", "What is done to the floats first, several joined by +", null);
        var target = Choices.Option<QuantizationTarget>("--target", "Machines it is to run on: any takes weights of 7 bits, dot-products of 8", "any");
        var rewriting = new Rewriting("Rows to measure ranges on, to train with, and to measure the model on before and after",
            "ranges and what rounding does are", new QuantizationOptions().CalibrationRows,
            "Epochs of training that rounds in each forward pass what is to be rounded in the end.");
        var command = new Command("quantize", "Rounds a model's weights to integers or shorter floats, and with int8 what lies between its layers.")
        {
            to, range, rounding, preparation, target,
        };
        rewriting.AddTo(command);
        command.SetAnswer(arguments =>
        {
            var options = new QuantizationOptions
            {
                Quantizer = Choices.Parse<Quantizer>(arguments.GetRequiredValue(to)!),
                Range = Choices.Parse<QuantizationRange>(arguments.GetRequiredValue(range)!),
                Rounding = Choices.Parse<WeightRounding>(arguments.GetRequiredValue(rounding)!),
                Preparation = arguments.GetValue(preparation) is { } text ? Choices.Parse<QuantizationPreparation>(text) : null,
                Target = Choices.Parse<QuantizationTarget>(arguments.GetRequiredValue(target)!),
                CalibrationRows = rewriting.Count(arguments),
                Epochs = rewriting.Epochs(arguments),
                Seed = arguments.GetValue(Tool.Seed),
            };
            try
            {
                _ = new MLContext().Transforms.Quantize(options);
            }
            catch (ArgumentException e)
            {
                throw new UsageException(Tool.Reason(e));
            }

            return rewriting.Run<QuantizationReport>(arguments, "quantising", (ml, _, metric) => ml.Transforms.Quantize(options with { Metric = metric }),
                network => Quantize(network, options),
                (before, after, report) => Quantized.Of(before, after, options, report));
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
