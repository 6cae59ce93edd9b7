using System.Diagnostics;
using MLNet.Pruning.Compression.Trees.Scoring;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Scoring the same trees here, in ML.NET and in ONNX Runtime, on one thread.</summary>
internal static class TreesBenchmark
{
    private const int TrainingRows = 20_000;
    private const int Rows = 100_000;
    private const int RowsOneByOne = 2_000;
    private const int Batch = 100;
    private const double SecondsOfRound = 0.3;

    private const double SecondsOfWarmUp = 1.5;

    public static void Run(Report report)
    {
        report.Section("Scoring trees, microseconds a row", "the faster of ONNX Runtime and ML.NET", "times as fast",
            $"""
            FastTree's regression trees over {TreesRow.Width} features, the same ones on all sides, on one thread; once warm, the process is bound to one
            core. A `PredictionEngine` against ML.NET's own and ONNX Runtime's call of one row; `Transform` and a cursor over the Score column, over rows of
            a class in memory, against ML.NET's own and ONNX Runtime's call of all rows. ONNX Runtime's inputs and outputs are bound before, its rows lie
            ready in one array; for the scorer alone they do here too. Vectors of {PackedTrees.VectorBytes} bytes.
            """);
        foreach (var (trees, leaves) in new[] { (200, 20), (500, 64) })
        {
            using var sides = new TreesSides(trees, leaves, TrainingRows, Rows);
            var name = $"{trees} trees of {leaves} leaves";
            Add(report, $"{name}, `PredictionEngine`", RowsOneByOne, () => sides.Predict(sides.OursByRow, RowsOneByOne),
                [() => sides.Predict(sides.TheirsByRow, RowsOneByOne), () => sides.RunOnnx(RowsOneByOne, 1)], 3.5);
            Add(report, $"{name}, `Transform` of {Batch} rows", Batch, () => sides.Transform(sides.Ours, Batch),
                [() => sides.Transform(sides.Theirs, Batch), () => sides.RunOnnx(Batch, Batch)], 9);
            Add(report, $"{name}, `Transform` of {Rows:N0} rows", Rows, () => sides.Transform(sides.Ours, Rows),
                [() => sides.Transform(sides.Theirs, Rows), () => sides.RunOnnx(Rows, Rows)], 10);
            foreach (var batch in new[] { 1, Batch, Rows })
            {
                Add(report, $"{name}, the scorer alone, {batch:N0} row{(batch > 1 ? "s" : "")} at a time", Rows, () => sides.RunOurs(Rows, batch),
                    [() => sides.RunOnnx(Rows, batch)], null);
            }
        }
    }

    private static void Add(Report report, string what, int rows, Action ours, Action[] theirs, double? aim)
    {
        // Warmed up on all cores: where the runtime compiles for good beside what it compiles, it takes seconds to get there.
        var repeats = Array.ConvertAll<Action, int>([ours, .. theirs], Repeats);
        using var pinned = new OneCore();
        var (left, right) = report.Interleave(() => Seconds(ours, repeats[0]), () => theirs.Select((their, i) => Seconds(their, repeats[i + 1])).Min());
        report.Add(new(what, left, right, seconds => FormattableString.Invariant($"{1e6 * seconds / rows:n2}"), (our, their) => their / our, aim));
    }

    /// <summary>As many as fill a round, once warm.</summary>
    private static int Repeats(Action action)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < SecondsOfWarmUp;)
        {
            action();
        }

        return Math.Max(1, (int)(SecondsOfRound / Seconds(action, 1)));
    }

    private static double Seconds(Action action, int repeats)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < repeats; i++)
        {
            action();
        }

        return watch.Elapsed.TotalSeconds / repeats;
    }
}
