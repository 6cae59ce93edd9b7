using System.CommandLine;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune factorize: the same model with several smaller layers in the place of some of its own.</summary>
internal static class FactorizeCommand
{
    public static Command Create()
    {
        var scope = new LayerOptions("be taken apart");
        var rewriting = new Rewriting("Rows to measure outputs of layers on, and the model before and after", "outputs of layers are",
            new FactorizationOptions().CalibrationRows);
        var by = Choices.Option<Factorizer>("--by", "What takes layers apart; joined with + the first that can", "svd");
        var rank = Choices.Option<Rank>("--rank", "How small the layers become", "energy(0.99)");
        var command = new Command("factorize", "Takes layers of a model apart into several smaller ones whose product is nearly the layer.") { by, rank };
        scope.AddTo(command);
        rewriting.AddTo(command);
        command.SetAnswer(arguments =>
        {
            FactorizationOptions Options(Network network) => new()
            {
                Factorizer = Choices.Parse<Factorizer>(arguments.GetRequiredValue(by)!),
                Rank = Choices.Parse<Rank>(arguments.GetRequiredValue(rank)!),
                Scope = scope.Of(arguments, network, Scope.Network),
                CalibrationRows = rewriting.Count(arguments),
                Seed = arguments.GetValue(Tool.Seed),
            };
            IReadOnlyList<FactorizedLayer> layers = [];
            return rewriting.Run<FactorizationReport>(arguments, "factorising",
                (ml, network, metric) => ml.Transforms.Factorize(Options(network) with { Metric = metric }),
                network => network.Factorize(Options(network), out layers),
                (before, after, report) => new Factorized(before, after, Choices.Parse<Factorizer>(arguments.GetRequiredValue(by)!).ToString()!,
                    Choices.Parse<Rank>(arguments.GetRequiredValue(rank)!).ToString()!, [.. report?.Layers ?? layers],
                    report is { Before: { } first, After: { } last } ? new(first.Name, first.Metric, last.Metric) : null));
        });
        return command;
    }
}
