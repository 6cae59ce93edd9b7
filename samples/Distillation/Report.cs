using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.Distillation;

/// <summary>Reads the test rows, for the first and only time, and says how teachers and students do on them.</summary>
internal static class Report
{
    public static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
    {
        if (recipe == Trees.Recipe)
        {
            TreesReport.Write(recipe, seeds, results);
            return;
        }

        var ml = new MLContext(1);
        var test = MnistFiles.Test(ml, data!);
        var networks = recipe.Stages.Select((stage, i) => Measure(ml, stage, i, seeds, test, results)).ToArray();
        Network(ml, results, 1, recipe.Stages.Count - 1).SaveOnnx(Path.Combine(results.Folder, "student.onnx"));
        results.WriteJson("report.json", new
        {
            recipe = recipe.Name,
            testImages = test.GetRowCount() ?? 0,
            networks,
            student = new { network = recipe.Stages[^1].Name, seed = 1, weights = networks[^1].Weights },
            settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
        });

        Console.WriteLine();
        Console.WriteLine("| network | weights | test errors, seed by seed | mean | validation error % |");
        Console.WriteLine("|---|---:|---|---:|---:|");
        foreach (var network in networks)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {network.Name} | {network.Weights:N0} | {string.Join(", ", network.TestErrors)} | {network.Mean:0} +- {network.StandardDeviation:0} | "
                    + $"{100 * (1 - network.ValidationAccuracies.Average()):0.00} |"));
        }

        Console.WriteLine($"\n{Path.GetRelativePath(Environment.CurrentDirectory, results.Folder)} has report.json and student.onnx");
    }

    private static Result Measure(MLContext ml, Stage stage, int i, int seeds, IDataView test, ResultFolder results)
    {
        var models = Enumerable.Range(1, seeds).Select(seed => (NeuralNetworkTransformer)ml.Compression().Load(results.Model(seed, i), out _)).ToArray();
        int[] errors = [.. models.Select(model => Errors(model.Transform(test)))];
        var (mean, spread) = Statistics.Spread(errors.Select(count => (double)count));
        return new(stage.Name, models[0].Network.ParameterCount, errors, mean, spread,
            [.. models.Select(model => model.GetReport<TrainingReport>().Epochs[^1].Validation!.Metric)]);
    }

    private static int Errors(IDataView scored) => scored.GetColumn<uint>("Label").Zip(scored.GetColumn<uint>("PredictedLabel"))
        .Count(pair => pair.First != pair.Second);

    private static Network Network(MLContext ml, ResultFolder results, int seed, int stage)
        => ((NeuralNetworkTransformer)ml.Compression().Load(results.Model(seed, stage), out _)).Network;

    /// <summary>What a kind of network gave, seed by seed.</summary>
    private sealed record Result(string Name, long Weights, int[] TestErrors, double Mean, double StandardDeviation, double[] ValidationAccuracies);
}
