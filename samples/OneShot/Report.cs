using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>Reads the test images, for the first and only time, and says how each pruned network does on them.</summary>
internal static class Report
{
    public static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
    {
        var (ml, sparsities) = (new MLContext(1), MlpNet.Sparsities[recipe.Name]);
        var test = MnistFiles.Test(ml, data!, MlpNet.Pixel);
        double Accuracy(string stage, int seed)
            => 100 * ml.MulticlassClassification.Evaluate(ml.Compression().Load(Path(stage, seed), out _).Transform(test)).MicroAccuracy;
        string Path(string stage, int seed) => results.Model(seed, recipe.Stages.ToList().FindIndex(one => one.Name == stage));
        var ways = MlpNet.Ways.Select(way => new Way(way, [.. sparsities.Select(sparsity => new Point(sparsity,
            [.. Enumerable.Range(1, seeds).Select(seed => Accuracy(MlpNet.Name(sparsity, way), seed))],
            [.. Enumerable.Range(1, seeds).Select(seed => Measured.Read(Path(MlpNet.Name(sparsity, way), seed)))]))])).ToArray();
        results.WriteJson("report.json", new { recipe = recipe.Name, settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
            dense = Accuracy("dense", 1), ways });
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Dense: {Accuracy("dense", 1):0.00} % of the test images."));
        Console.WriteLine();
        Console.WriteLine($"| sparsity | {string.Join(" | ", sparsities.Select(sparsity => sparsity.ToString(CultureInfo.InvariantCulture)))} |");
        Console.WriteLine($"|---|{string.Concat(sparsities.Select(_ => "---:|"))}");
        foreach (var way in ways)
        {
            Console.WriteLine($"| {way.Name} | {string.Join(" | ", way.Points.Select(point => Text(point.Accuracies)))} |");
        }

        foreach (var way in ways)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{way.Name}: at most "
                + $"{way.Points.Max(point => point.Costs.Max(cost => cost.Seconds)):0} s a point, "
                + $"{way.Points.Max(point => point.Costs.Max(cost => cost.PeakBytes)) / 1e6:0} MB at the most with all rows of MNIST in memory"));
        }
    }

    private static string Text(IReadOnlyList<double> accuracies) => Statistics.Spread(accuracies) is var (mean, spread)
        ? string.Create(CultureInfo.InvariantCulture, $"{mean:0.00} +- {spread:0.00}") : "";

    private sealed record Way(string Name, IReadOnlyList<Point> Points);

    /// <summary>A sparsity, and for each seed the test accuracy in percent and what it took.</summary>
    private sealed record Point(double Sparsity, IReadOnlyList<double> Accuracies, IReadOnlyList<Cost> Costs);
}
