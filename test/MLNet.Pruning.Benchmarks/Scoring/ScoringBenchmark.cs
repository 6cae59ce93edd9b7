using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Rows a second through the ML.NET face, against libtorch's bare forward pass over batches that are ready.</summary>
internal static class ScoringBenchmark
{
    private const int Rows = 8192;
    private const int RowsOneByOne = 2048;
    private const int BatchSize = 256;
    private const double SecondsOfRound = 0.5;

    public static void Run(Report report)
    {
        var ml = new MLContext(1);
        var rows = DigitRow.Random(Rows);
        var view = ml.Data.LoadFromEnumerable(rows);
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions { Network = Network.Mlp(DigitRow.Width, 300, 100,
            DigitRow.Classes), Epochs = 1 }).Fit(view);
        var engine = ml.Model.CreatePredictionEngine<DigitRow, DigitScores>(model);
        report.Section("Scoring, rows a second of the MLP 784-300-100-10", "bare forward pass", "share of bare",
            $"""
            `model.Transform` over {Rows} rows of a class in memory, the Score column read with a cursor, against libtorch's forward pass over ready batches of
            {BatchSize}; `PredictionEngine.Predict` a row at a time, against its forward pass over ready batches of one.
            """);
        using var forward = new BareForward(model.Network, rows);
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            var label = $"{threads} thread{(threads > 1 ? "s" : "")}";
            Add(report, $"Transform, {label}", () => Transform(model, view), () => forward.Run(Rows, BatchSize), 0.7);
            Add(report, $"PredictionEngine, {label}", () => Predict(engine, rows), () => forward.Run(RowsOneByOne, 1), null);
        }
    }

    private static void Add(Report report, string what, Func<int> ours, Func<int> theirs, double? aim)
    {
        var repeats = Repeats(theirs);
        var (left, right) = report.Interleave(() => PerSecond(ours, repeats), () => PerSecond(theirs, repeats));
        report.Add(new(what, left, right, rate => FormattableString.Invariant($"{rate:n0}"), (our, their) => our / their, aim));
    }

    private static int Repeats(Func<int> action)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < SecondsOfRound;)
        {
            action();
        }

        var last = Stopwatch.StartNew();
        action();
        return Math.Max(1, (int)(SecondsOfRound / last.Elapsed.TotalSeconds));
    }

    private static double PerSecond(Func<int> action, int repeats)
    {
        var watch = Stopwatch.StartNew();
        long rows = 0;
        for (var i = 0; i < repeats; i++)
        {
            rows += action();
        }

        return rows / watch.Elapsed.TotalSeconds;
    }

    private static int Transform(ITransformer model, IDataView view)
    {
        var scored = model.Transform(view);
        using var cursor = scored.GetRowCursor([scored.Schema["Score"]]);
        var read = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
        VBuffer<float> score = default;
        var rows = 0;
        while (cursor.MoveNext())
        {
            read(ref score);
            rows++;
        }

        return rows;
    }

    private static int Predict(PredictionEngine<DigitRow, DigitScores> engine, DigitRow[] rows)
    {
        var scores = new DigitScores();
        for (var row = 0; row < RowsOneByOne; row++)
        {
            engine.Predict(rows[row], ref scores);
        }

        return RowsOneByOne;
    }
}
