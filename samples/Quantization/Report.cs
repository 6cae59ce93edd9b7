using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples.Quantization;

/// <summary>Reads the test images, for the first and only time, and says how each form does on them, in its file and in ONNX Runtime.</summary>
internal static class Report
{
    public static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
    {
        var ml = new MLContext(1);
        var test = MnistFiles.Test(ml, data!);
        var forms = recipe.Stages.Select((stage, i) => new Result(stage.Name,
            [.. Enumerable.Range(1, seeds).Select(seed => Measure(ml, results, seed, i, test))])).ToArray();
        results.WriteJson("report.json", new { recipe = recipe.Name, settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
            forms });
        Console.WriteLine();
        Console.WriteLine("| form | test accuracy % | against floats | bytes | smaller | times as fast, one row | 64 rows |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|");
        foreach (var form in forms)
        {
            var (mean, spread) = Statistics.Spread(form.Seeds.Select(seed => seed.Accuracy));
            var loss = form.Seeds.Zip(forms[0].Seeds, (one, dense) => one.Accuracy - dense.Accuracy).Average();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {form.Form} | {mean:0.00} +- {spread:0.00} | {loss:+0.00;-0.00;0.00} | "
                + $"{form.Seeds.Average(seed => seed.Bytes):N0} | {forms[0].Seeds.Average(seed => seed.Bytes) / form.Seeds.Average(seed => seed.Bytes):0.0}x | "
                + $"{Statistics.Median(form.Seeds.Select(seed => seed.OneRow)):0.0}x | {Statistics.Median(form.Seeds.Select(seed => seed.ManyRows)):0.0}x |"));
        }

        foreach (var nearest in forms.Where(form => form.Form.EndsWith(" nearest", StringComparison.Ordinal)))
        {
            foreach (var other in forms.Where(form => form != nearest && form.Form.StartsWith(nearest.Form[..5], StringComparison.Ordinal)))
            {
                double Mean(Result form) => form.Seeds.Average(seed => seed.Accuracy);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{other.Form} closes {(Mean(other) - Mean(nearest)) / (Mean(forms[0]) - Mean(nearest)):0%} of "
                    + $"the gap of {Mean(forms[0]) - Mean(nearest):0.00} points between floats and {nearest.Form}."));
            }
        }
    }

    private static Seed Measure(MLContext ml, ResultFolder results, int seed, int stage, IDataView test)
    {
        var (dense, path) = (Save(ml, results, seed, 0), Save(ml, results, seed, stage));
        var model = ml.Compression().Load(results.Model(seed, stage), out _);
        // What is compared with itself needs no clock.
        double Ratio(int rows) => stage == 0 ? 1 : Runtime.Ratio(dense, path, rows);
        return new(100 * ml.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy, new FileInfo(path).Length, Ratio(1), Ratio(64));
    }

    private static string Save(MLContext ml, ResultFolder results, int seed, int stage)
    {
        var path = Path.ChangeExtension(results.Model(seed, stage), ".onnx");
        SeedRun.Network(ml.Compression().Load(results.Model(seed, stage), out _)).SaveOnnx(path);
        return path;
    }

    /// <summary>What the seeds gave of a form.</summary>
    private sealed record Result(string Form, IReadOnlyList<Seed> Seeds);

    /// <summary>One of them: test accuracy in percent, bytes of the file, and how many times as fast as floats it is in ONNX Runtime.</summary>
    private sealed record Seed(double Accuracy, long Bytes, double OneRow, double ManyRows);
}
