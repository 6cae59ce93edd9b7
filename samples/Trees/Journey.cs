using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace MLNet.Pruning.Samples.Trees;

/// <summary>The runs of all seeds told as a table, and their report as JSON.</summary>
internal static class Journey
{
    public static void Tell(string table, int seeds, DirectoryInfo output)
    {
        output.Create();
        Console.WriteLine("| seed | trees | nodes | AUC | trees left | nodes left | AUC | loss | rows/s | rows/s, pruned | ratio |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        var results = Enumerable.Range(1, seeds).Select(seed => Run(table, seed, output)).ToArray();
        Line($"mean loss of AUC {results.Average(result => result.Loss):F4}, largest {results.Max(result => result.Loss):F4}; nodes left "
            + $"{results.Average(result => result.NodeShare):P1}");
        Line($"scoring {results.Min(result => result.Ratio):F1} to {results.Max(result => result.Ratio):F1} times faster");

        var report = new
        {
            table,
            metric_name = "AUC",
            ensemble = Summary(results, result => result.Ensemble),
            pruned = Summary(results, result => result.Pruned),
            metric_loss = results.Average(result => result.Loss),
            node_share = results.Average(result => result.NodeShare),
            speedup = results.Average(result => result.Ratio),
            seeds = results.Select(result => new { seed = result.Seed, ensemble = result.Ensemble, pruned = result.Pruned }),
        };
        var path = Path.Combine(output.FullName, "report.json");
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(report, new JsonSerializerOptions { WriteIndented = true }));
        File.Move(path + ".new", path, overwrite: true);
        Line($"report: {Path.GetRelativePath(Environment.CurrentDirectory, path)}");
    }

    private static Result Run(string table, int seed, DirectoryInfo output)
    {
        var run = TreesRun.Fit(table, seed);
        var (original, pruned) = run.RowsPerSecond();
        var result = new Result(seed, new(run.Before.Trees, run.Before.Nodes, run.Before.Leaves, run.OriginalAuc, original),
            new(run.After.Trees, run.After.Nodes, run.After.Leaves, run.PrunedAuc, pruned));
        Line($"| {seed} | {run.Before.Trees} | {run.Before.Nodes:N0} | {run.OriginalAuc:F4} | {run.After.Trees} | {run.After.Nodes:N0} | {run.PrunedAuc:F4} | "
            + $"{result.Loss:F4} | {original:N0} | {pruned:N0} | {result.Ratio:F1} |");
        if (seed == 1)
        {
            run.Trees.SaveOnnx(Path.Combine(output.FullName, "pruned.onnx"));
        }

        return result;
    }

    private static Figures Summary(Result[] results, Func<Result, Figures> select)
    {
        var all = results.Select(select).ToArray();
        return new(all.Average(figures => figures.trees), all.Average(figures => figures.nodes), all.Average(figures => figures.leaves),
            all.Average(figures => figures.metric), all.Average(figures => figures.rows_per_second));
    }

    private static void Line(string text) => Console.WriteLine(text);

    private sealed record Figures(double trees, double nodes, double leaves, double metric, double rows_per_second);

    private sealed record Result(int Seed, Figures Ensemble, Figures Pruned)
    {
        public double Loss => Ensemble.metric - Pruned.metric;

        public double NodeShare => Pruned.nodes / Ensemble.nodes;

        public double Ratio => Pruned.rows_per_second / Ensemble.rows_per_second;
    }
}
