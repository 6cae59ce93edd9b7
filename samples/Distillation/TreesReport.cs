using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.Distillation;

/// <summary>The trees and the network that learned from them on the test rows of each seed, and how fast they score.</summary>
internal static class TreesReport
{
    public static void Write(Recipe recipe, int seeds, ResultFolder results)
    {
        var runs = Enumerable.Range(1, seeds).Select(seed => Measure(seed, results)).ToArray();
        var ml = new MLContext(1);
        ((NeuralNetworkTransformer)Steps(ml, results, 1, 1)[^1]).Network.SaveOnnx(Path.Combine(results.Folder, "student.onnx"));
        results.WriteJson("report.json", new
        {
            recipe = recipe.Name,
            weights = recipe.Network().ParameterCount,
            teacher = Summary(runs, run => run.Teacher),
            alone = Summary(runs, run => run.Alone),
            taught = Summary(runs, run => run.Taught),
            speedup = runs.Average(run => run.Taught.RowsPerSecond / run.Teacher.RowsPerSecond),
            seeds = runs,
            settings = recipe.Stages.ToDictionary(stage => stage.Name, stage => stage.Settings),
        });

        Console.WriteLine();
        Console.WriteLine("| seed | AUC of the trees | of the network alone | taught | errors of the trees | of the network alone | taught | rows/s, trees | "
            + "rows/s, network | ratio |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var run in runs)
        {
            Line($"| {run.Seed} | {run.Teacher.Auc:F4} | {run.Alone.Auc:F4} | {run.Taught.Auc:F4} | {run.Teacher.TestErrors} | {run.Alone.TestErrors} | "
                + $"{run.Taught.TestErrors} | {run.Teacher.RowsPerSecond:N0} | {run.Taught.RowsPerSecond:N0} | "
                    + $"{run.Taught.RowsPerSecond / run.Teacher.RowsPerSecond:F1} |");
        }

        Line($"\nmean AUC: trees {runs.Average(run => run.Teacher.Auc):F4}, network alone {runs.Average(run => run.Alone.Auc):F4}, taught "
            + $"{runs.Average(run => run.Taught.Auc):F4}");
        Line($"{runs[0].Teacher.Bytes:N0} bytes of trees, {runs[0].Taught.Bytes:N0} of the network with {recipe.Network().ParameterCount:N0} weights; "
            + $"{Path.GetRelativePath(Environment.CurrentDirectory, results.Folder)} has report.json and student.onnx");
    }

    private static Run Measure(int seed, ResultFolder results)
    {
        var ml = new MLContext(seed);
        var test = Trees.Split(ml, seed).TestSet;
        var (alone, taught) = (Steps(ml, results, seed, 0), Steps(ml, results, seed, 1));
        // Standardised values, trees, network: the scores of the last hide those before.
        var (trees, network) = (taught[..^1], new[] { taught[0], taught[^1] });
        // Standardised once for both: ML.NET computes that in threads beside, and handing rows over costs more than the network does.
        var (slow, fast) = Throughput.Compare(ml, taught[0].Transform(test), repeats: 200, rows => Apply(trees[1..], rows), rows => Apply(network[1..], rows));
        return new(seed, Figures(ml, trees, test, slow), Figures(ml, alone, test, null), Figures(ml, network, test, fast));
    }

    private static ITransformer[] Steps(MLContext ml, ResultFolder results, int seed, int stage)
        => [.. (IEnumerable<ITransformer>)ml.Compression().Load(results.Model(seed, stage), out _)];

    private static Result Figures(MLContext ml, ITransformer[] steps, IDataView test, double? rowsPerSecond)
    {
        var scored = Apply(steps, test);
        var errors = scored.GetColumn<bool>("Label").Zip(scored.GetColumn<bool>("PredictedLabel")).Count(pair => pair.First != pair.Second);
        return new(ml.BinaryClassification.Evaluate(scored).AreaUnderRocCurve, errors, ml.Compression().Measure(steps[^1]).Total.DenseBytes, rowsPerSecond);
    }

    private static IDataView Apply(ITransformer[] steps, IDataView rows) => steps.Aggregate(rows, (view, step) => step.Transform(view));

    private static Result Summary(Run[] runs, Func<Run, Result> select)
    {
        var all = runs.Select(select).ToArray();
        return new(all.Average(one => one.Auc), (int)Math.Round(all.Average(one => one.TestErrors)), (long)all.Average(one => one.Bytes),
            all.Average(one => one.RowsPerSecond));
    }

    private static void Line(string text) => Console.WriteLine(text);

    /// <param name="RowsPerSecond">Null where it was not measured.</param>
    private sealed record Result(double Auc, int TestErrors, long Bytes, double? RowsPerSecond);

    private sealed record Run(int Seed, Result Teacher, Result Alone, Result Taught);
}
