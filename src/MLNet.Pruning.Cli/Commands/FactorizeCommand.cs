using System.CommandLine;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune factorize: the same model with several smaller layers in the place of some of its own.</summary>
internal static class FactorizeCommand
{
    private const double LearningRate = 1e-3;
    private const int BatchSize = 64;

    public static Command Create()
    {
        var model = new Argument<FileInfo>("model") { Description = "The ONNX file." };
        var output = new Option<FileInfo>("--output", "-o") { Description = "The file to write; an older one stays whole until the new one is.",
            Required = true };
        var by = Choices.Option<Factorizer>("--by", "What takes layers apart; joined with + the first that can", "svd");
        var rank = Choices.Option<Rank>("--rank", "How small the layers become", "energy(0.99)");
        var layers = new LayerOptions("be taken apart");
        var count = new Option<int>("--calibration-rows") { Description = "Rows that outputs of layers are measured on.",
            DefaultValueFactory = _ => new FactorizationOptions().CalibrationRows }.AtLeast(1);
        var sizes = RandomInputOptions.Sizes("Gives sizes that the model leaves open a number, in the file that is written too");
        var rows = new RowOptions("Rows to measure outputs of layers on, and the model before and after");
        var command = new Command("factorize", "Takes layers of a model apart into several smaller ones whose product is nearly the layer.")
        {
            model, output, by, rank, count, sizes,
        };
        layers.AddTo(command);
        rows.AddTo(command);
        command.SetAnswer(arguments =>
        {
            var options = new FactorizationOptions
            {
                Factorizer = Choices.Parse<Factorizer>(arguments.GetRequiredValue(by)!),
                Rank = Choices.Parse<Rank>(arguments.GetRequiredValue(rank)!),
                CalibrationRows = arguments.GetValue(count),
                Seed = arguments.GetValue(Tool.Seed),
            };
            var given = rows.Read(arguments, count);
            var (file, written) = (arguments.GetRequiredValue(model), arguments.GetRequiredValue(output));
            return Progress.Run("factorising", say =>
            {
                var network = Network.FromOnnx(file.ToString(), arguments.GetRequiredValue(sizes));
                var before = FileSummary.Of(file, NetworkCost.Of(network));
                var scoped = options with { Scope = layers.Of(arguments, network, Scope.Network) };
                var (small, changed, validation) = given is { } found ? Factorize(network, scoped, found, say) : Factorize(network, scoped);
                small.SaveOnnx(written.ToString());
                return new Factorized(before, FileSummary.Of(written, NetworkCost.Of(small)), options.Factorizer.ToString()!, options.Rank.ToString()!,
                    [.. changed], validation);
            });
        });
        return command;
    }

    private static (Network, IReadOnlyList<FactorizedLayer>, ValidationSummary?) Factorize(Network network, FactorizationOptions options,
        (FileInfo Data, string Label, LearningTask? Task, Metric? Metric) rows, Action<string> say)
    {
        var (small, report) = new FineTuning(rows.Data, rows.Label, rows.Task, LearningRate, BatchSize, options.Seed!.Value)
            .Fit<FactorizationReport>(network, ml => ml.Transforms.Factorize(options with { Metric = rows.Metric }), say);
        return (small, report.Layers, report is { Before: { } first, After: { } last } ? new(first.Name, first.Metric, last.Metric) : null);
    }

    private static (Network, IReadOnlyList<FactorizedLayer>, ValidationSummary?) Factorize(Network network, FactorizationOptions options)
    {
        try
        {
            return (network.Factorize(options, out var layers), layers, null);
        }
        catch (InvalidOperationException e) when (e is not PruningTargetException)
        {
            throw new UsageException($"{Tool.Reason(e)} Give --data rows.csv and --label column.");
        }
    }
}
