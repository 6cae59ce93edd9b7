using System.Collections.Immutable;
using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune prune: a smaller model.</summary>
internal static class PruneCommand
{
    private static readonly Dictionary<string, Func<double, Amount>> s_targets = new()
    {
        ["channels"] = Amount.Fraction, ["multiply-adds"] = Amount.MultiplyAdds, ["parameters"] = Amount.Parameters,
    };

    private static readonly Dictionary<string, GroupImportance> s_groups = Enum.GetValues<GroupImportance>()
        .ToDictionary(group => group.ToString().ToLowerInvariant());

    public static Command Create()
    {
        var model = new Argument<FileInfo>("model") { Description = "The ONNX file." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "The file to write; an older one stays whole until the new one is.",
            Required = true };
        var granularity = Choices.Option<Granularity>("--granularity",
            "What goes: weights, rows, columns, kernels, slices, n:m patterns and blocks of weights are set to zero, all others are removed", "unit");
        var sparsity = new Option<double>("--sparsity")
        {
            Description = "Share of the dense model that is gone in the end, in [0, 1); of a model that was pruned before, the share counts what went.",
            DefaultValueFactory = _ => 0.5,
        }.Require(value => value is >= 0 and < 1, "a share in [0, 1)");
        var target = Choice("--target", "What the share is counted in.", s_targets, "channels");
        var importance = Choices.Option<Importance>("--importance", "How important a weight or structure is", "magnitude");
        var calibration = new Option<int>("--calibration-rows") { Description = "Rows that importances are measured on which need some.",
            DefaultValueFactory = _ => 256 }.AtLeast(1);
        var scope = Choices.Option<Scope>("--scope",
            "Whether weights or structures are compared within their layer or across the network, or how weights that are set to zero spread over layers",
            "network");
        var group = Choice("--group", "How the importance of what goes together follows from its members.", s_groups, "mean");
        var noNormalize = new Option<bool>("--no-normalize") { Description = "Compares layers without dividing by the mean importance of each." };
        var alignment = new Option<int?>("--alignment") { Description = "Rounds widths to a multiple; 1 keeps them exact. Default: 16 for dense convolutions." }
            .Require(value => value is null or >= 1, "a whole number of at least 1");
        var minimumKept = new Option<double>("--minimum-kept") { Description = "Share of every layer's weights or structures that stays, in [0, 1); above 0, "
            + "at least one.", DefaultValueFactory = _ => 0 }
            .Require(value => value is >= 0 and < 1, "a share in [0, 1)");
        var layers = new LayerOptions("shrink");
        var sparse = new Option<bool>("--sparse") { Description = "Stores weights that are mostly zero as a list of the others." };
        var fold = new Option<bool>("--fold-batch-norm") { Description = "Takes batch normalisation into the layers before it first." };
        var quantize = Choices.Option<Quantizer>("--quantize", "What the weights that are left become, as with the command quantize", null);
        var sizes = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number, in the file that is written too");
        var training = new FineTuningOptions();
        var command = new Command("prune", "Removes or zeroes the least important part of a model.")
        {
            model, output, granularity, sparsity, target, importance, calibration, scope, group, noNormalize, alignment, minimumKept, sparse, fold, quantize,
            sizes,
        };
        layers.AddTo(command);
        training.AddTo(command);
        command.SetAnswer(arguments =>
        {
            var seed = arguments.GetValue(Tool.Seed);
            var chosen = Choices.Parse<Scope>(arguments.GetRequiredValue(scope)!);
            var criterion = Choices.Parse<Importance>(arguments.GetRequiredValue(importance)!, ("seed", seed), ("rows", arguments.GetValue(calibration)));
            var needsRows = criterion is CalibratedImportance { NeedsRows: true };
            var options = new PruningOptions
            {
                Granularity = Choices.Parse<Granularity>(arguments.GetRequiredValue(granularity)!),
                Importance = criterion,
                Scope = chosen,
                GroupReduction = s_groups[arguments.GetRequiredValue(group)],
                Normalize = !arguments.GetValue(noNormalize),
                Alignment = arguments.GetValue(alignment),
                MinimumKept = arguments.GetValue(minimumKept),
                FineTuneEpochs = 0,
            };
            if (options.Granularity.FixedAmount is null || arguments.GetResult(sparsity) is { Implicit: false }
                || arguments.GetResult(target) is { Implicit: false })
            {
                options = options with { Amount = s_targets[arguments.GetRequiredValue(target)](arguments.GetValue(sparsity)) };
            }

            if (options.Amount.Budget is not null && !options.Granularity.Removes)
            {
                throw new UsageException($"--target {arguments.GetValue(target)} needs a granularity that is removed; '{options.Granularity}' is set to zero.");
            }

            var fineTuning = training.Read(arguments, seed, ref options);
            if (fineTuning is null && needsRows)
            {
                throw new UsageException($"--importance {arguments.GetValue(importance)} is measured on rows: give --data rows.csv and --label column.");
            }

            if (arguments.GetResult(calibration) is { Implicit: false } && !needsRows)
            {
                throw new UsageException($"--calibration-rows are for importances that are measured on rows; '{arguments.GetValue(importance)}' looks at "
                    + "weights alone.");
            }

            var quantizing = arguments.GetValue(quantize) is { } form ? new QuantizationOptions { Quantizer = Choices.Parse<Quantizer>(form), Seed = seed }
                : null;
            try
            {
                _ = new MLContext().Transforms.Prune(options);
            }
            catch (ArgumentException e)
            {
                throw new UsageException(Tool.Reason(e));
            }

            var (file, to) = (arguments.GetRequiredValue(model), arguments.GetRequiredValue(output));
            if (to.Directory is { Exists: false } folder)
            {
                throw new DirectoryNotFoundException($"There is no folder {folder} to write {to.Name} to.");
            }

            return Progress.Run(arguments, "pruning", progress =>
            {
                var network = NetworkFile.Read(file, arguments.GetRequiredValue(sizes));
                var before = FileSummary.Of(file, NetworkCost.Of(network));
                network = arguments.GetValue(fold) ? network.FoldBatchNorm() : network;
                if (options is { FineTuneEpochs: > 0, Schedule.Order: LayerOrder.Together })
                {
                    progress.Expect(options.Schedule.Sparsities(0, arguments.GetValue(sparsity)).Count);
                }

                var scoped = options with { Scope = layers.Of(arguments, network, chosen), Progress = progress.Steps };
                var (small, report) = fineTuning is null ? Prune(network, scoped)
                    : fineTuning.Fit<PruningReport>(network, ml => ml.Transforms.Prune(scoped), progress);
                var (written, quantized) = quantizing is null ? (small, null) : Quantize(small, quantizing, fineTuning, progress);
                NetworkFile.Write(written, to, arguments.GetValue(sparse));
                return Pruned.Of(before, FileSummary.Of(to, NetworkCost.Of(written)), scoped, arguments.GetRequiredValue(granularity)!,
                    arguments.GetRequiredValue(target), network, small, report, quantizing, quantized);
            });
        });
        return command;
    }

    private static (Network, PruningReport) Prune(Network network, PruningOptions options)
    {
        try
        {
            return (network.Prune(options, out var report).Network, report);
        }
        catch (ArgumentException e) when (LeftOutValues.Describe(LeftOutValues.Of(network).ToArray(), network.ParameterCount) is { } left)
        {
            throw new ArgumentException($"{Tool.Reason(e)} {left}.", e);
        }
    }

    private static (Network, QuantizationReport?) Quantize(Network small, QuantizationOptions options, FineTuning? rows, Progress progress)
    {
        (Network quantized, QuantizationReport? report) = rows is null ? (QuantizeCommand.Quantize(small, options), null)
            : rows.Fit<QuantizationReport>(small, ml => ml.Transforms.Quantize(options), progress);
        foreach (var weight in small.Parameters.Where(parameter => quantized.TryGetParameter(parameter.Name, out var after) && after.Count == parameter.Count))
        {
            var after = quantized[weight.Name].Values;
            for (var i = 0; i < after.Length; i++)
            {
                if (weight.Values[i] == 0 && after[i] != 0)
                {
                    throw new UsageException($"--quantize {options.Quantizer} has no zero for value {i} of '{weight.Name}', which is zero: take another form, "
                        + "or a "
                        + "granularity that is removed.");
                }
            }
        }

        return (quantized, report);
    }

    private static Option<string> Choice<T>(string name, string description, Dictionary<string, T> values, string otherwise)
        => new Option<string>(name) { Description = description, DefaultValueFactory = _ => otherwise }.AcceptOnlyFromAmong([.. values.Keys]);
}
