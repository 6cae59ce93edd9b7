using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples.Mnist;

/// <summary>Reads the test images, for the first and only time, and says how the networks do on them.</summary>
internal static class Report
{
    public static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
    {
        var ml = new MLContext(1);
        var test = MnistFiles.Test(ml, data!);
        var parameters = recipe.Network().ParameterCount;
        var runs = Enumerable.Range(1, seeds).Select(seed => Measure(ml, recipe, seed, results, test, parameters)).ToArray();
        // The network that is handed out is the best on validation images, not on test images.
        var best = runs.MaxBy(run => run.ValidationAccuracy)!;
        Network(ml, recipe, best.Seed, results).SaveOnnx(Path.Combine(results.Folder, "best.onnx"));
        Network(ml, recipe, best.Seed, results).SaveCompressed(Path.Combine(results.Folder, "best.nnp"), metadata: false);
        var (mean, spread) = Statistics.Spread(runs.Select(run => run.TestError));
        results.WriteJson("report.json", new
        {
            recipe = recipe.Name,
            parameters,
            testError = new { mean, standardDeviation = spread },
            liveNonZeros = runs.Average(run => run.LiveNonZeros),
            compression = runs.Average(run => run.Compression),
            bytes = runs.Average(run => run.Bytes),
            liveMultiplyAdds = runs.Average(run => run.LiveMultiplyAdds),
            best = best.Seed,
            settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
            seeds = runs,
        });

        Console.WriteLine();
        Console.WriteLine("| seed | validation error % | test error % | live non-zeros | compression | multiply-adds | widths | compressed file, bytes |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|---|---:|");
        foreach (var run in runs)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {run.Seed} | {100 * (1 - run.ValidationAccuracy):0.00} | {run.TestError:0.00} | {run.LiveNonZeros:N0} | {run.Compression:0.0}x | "
                    + $"{run.LiveMultiplyAdds:N0} | {run.Widths} | {run.Bytes:N0} |"));
        }

        foreach (var run in runs.Where(run => run.TestErrorAgainst is not null))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {run.Seed}: test error of {recipe.Against} {run.TestErrorAgainst:0.00} %, "
                + $"{run.TestError - run.TestErrorAgainst:+0.00;-0.00;0.00} points after"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n{recipe.Name}: test error {mean:0.00} +- {spread:0.00} % at {runs.Average(run => run.Compression):0.0}x in weights, "
                + $"{runs.Average(run => 4.0 * parameters / run.Bytes):0}x in the compressed file of {runs.Average(run => run.Bytes):N0} bytes; "
                + $"{Path.GetRelativePath(Environment.CurrentDirectory, results.Folder)} has report.json, best.onnx and best.nnp"));
    }

    private static Result Measure(MLContext ml, Recipe recipe, int seed, ResultFolder results, IDataView test, long parameters)
    {
        NeuralNetworkTransformer After(int stage) => (NeuralNetworkTransformer)ml.Compression().Load(results.Model(seed, stage), out _);
        double TestError(NeuralNetworkTransformer model) => 100 * (1 - ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        var model = After(recipe.Stages.Count - 1);
        var total = ml.Compression().Measure(model).Total;
        var against = recipe.Stages.ToList().FindIndex(stage => stage.Name == recipe.Against);
        return new(seed, ValidationAccuracy(model), TestError(model), against < 0 ? null : TestError(After(against)), total.LiveNonZeros,
            (double)parameters / total.LiveNonZeros, total.LiveMultiplyAdds!.Value, LayerWidths.Of(model.Network), Bytes(model.Network));
    }

    /// <summary>Of the file that the network is read from to the same bits.</summary>
    private static long Bytes(Network network)
    {
        using var file = new MemoryStream();
        network.SaveCompressed(file, metadata: false);
        return file.Length;
    }

    private static Network Network(MLContext ml, Recipe recipe, int seed, ResultFolder results)
        => ((NeuralNetworkTransformer)ml.Compression().Load(results.Model(seed, recipe.Stages.Count - 1), out _)).Network;

    private static double ValidationAccuracy(NeuralNetworkTransformer model)
        => (model.Report switch
        {
            PruningReport pruning => pruning.Steps[^1].Validation,
            FactorizationReport factors => factors.After,
            QuantizationReport quantization => quantization.After,
            _ => model.GetReport<TrainingReport>().Epochs[^1].Validation,
        })!.Metric;

    /// <summary>What a seed gave.</summary>
    private sealed record Result(int Seed, double ValidationAccuracy, double TestError, double? TestErrorAgainst, long LiveNonZeros, double Compression,
        long LiveMultiplyAdds, string Widths, long Bytes);
}
