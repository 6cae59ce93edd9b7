using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>Reads the test images, for the first and only time, and says what each way left of the accuracy.</summary>
internal static class StructuredReport
{
    public static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
    {
        var ml = new MLContext(1);
        var test = MnistFiles.Test(ml, data!);
        int[] all = [.. Enumerable.Range(1, seeds)];
        ITransformer Model(int seed, int stage) => ml.Compression().Load(results.Model(seed, stage), out _);
        var ways = recipe.Stages.Select((stage, i) => new Way(stage.Name,
            [.. all.Select(seed => 100 * ml.MulticlassClassification.Evaluate(Model(seed, i).Transform(test)).MicroAccuracy)],
            [.. all.Select(seed => NetworkCost.Of(SeedRun.Network(Model(seed, i))).Total.MultiplyAdds ?? 0)],
            i == 0 ? [] : [.. all.Select(seed => Measured.Read(results.Model(seed, i)))])).ToArray();
        results.WriteJson("report.json", new { recipe = recipe.Name, settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
            ways });
        double Loss(Way way) => way.Accuracies.Zip(ways[0].Accuracies, (one, dense) => dense - one).Average();
        Console.WriteLine();
        Console.WriteLine("| way | test accuracy % | lost | of what plain removal loses | multiply-adds | seconds | peak MB |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var way in ways)
        {
            var (mean, spread) = Statistics.Spread(way.Accuracies);
            var costs = way.Costs.Count == 0 ? " | " : string.Create(CultureInfo.InvariantCulture,
                $"{way.Costs.Max(cost => cost.Seconds):0.0} | {way.Costs.Max(cost => cost.PeakBytes) / 1e6:0}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {way.Name} | {mean:0.00} +- {spread:0.00} | {Loss(way):0.00} | "
                + $"{Loss(way) / Loss(ways[1]):0.00} | {way.MultiplyAdds.Average():N0} | {costs} |"));
        }
    }

    /// <summary>For each seed the test accuracy in percent, the multiply-adds of a row, and what it took.</summary>
    private sealed record Way(string Name, IReadOnlyList<double> Accuracies, IReadOnlyList<long> MultiplyAdds, IReadOnlyList<Cost> Costs);
}
