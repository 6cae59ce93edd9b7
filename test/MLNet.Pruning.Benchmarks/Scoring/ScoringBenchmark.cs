using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Scoring through the ML.NET face against ONNX Runtime itself, on one thread.</summary>
internal static class ScoringBenchmark
{
    private const int Rows = 10_000;
    private const int BatchSize = 256;

    public static void Run(Report report)
    {
        report.Section("Scoring through ML.NET, one thread", "ONNX Runtime", "times its time",
            $"""
            Dense networks. `PredictionEngine.Predict` a row at a time into the same object, against a run of ONNX Runtime over one row that is
            copied into memory that is bound once; `model.Transform` over {Rows:N0} rows of a class in memory, the Score column read with a
            cursor, against its runs over batches of {BatchSize} rows that are copied in. Our side has the softmax over the scores besides.
            Processors to use: {Environment.ProcessorCount}.
            """);
        var mlp = Measured<Row784>(BenchmarkNetworks.Mlp);
        AddEngine(report, "MLP 784-300-100-10", mlp);
        AddEngine(report, "LeNet-5", Measured<Row784>(BenchmarkNetworks.LeNet5));
        AddEngine(report, "ResNet-18 at 224 x 224", Measured<RowOfImage>(BenchmarkNetworks.ResNet18));
        AddTransform(report, "MLP 784-300-100-10", mlp);
        AddTransform(report, "LeNet-5", Measured<Row784>(BenchmarkNetworks.LeNet5));
        AddLoaded(report, mlp);
        report.Section("One model on two threads", "one thread", "times as many rows a second",
            """
            A `PredictionEngine` for each thread, all of one model: each predicts as many rows as the one by itself does. Not within `taskset`, of a core alone.
            """);
        var pruned = BenchmarkNetworks.WithZeros(BenchmarkNetworks.Mlp, 0.9);
        AddThreads(report, "MLP 784-300-100-10, dense", mlp, ScoringRuntime.OnnxRuntime);
        AddThreads(report, "MLP 784-300-100-10, 90% zeros", Measured<Row784>(pruned), ScoringRuntime.Sparse);
        AddThreads(report, "MLP 784-300-100-10 in bytes, 90% zeros", Measured<Row784>(SparseBenchmark.InBytes(pruned)), ScoringRuntime.Sparse);
    }

    private static (ITransformer Model, Network Network, MLContext Context) Measured<TRow>(Network network) where TRow : class, IFeatures, new()
    {
        var ml = new MLContext(1);
        var view = ml.Data.LoadFromEnumerable(Draw<TRow>(network, 2));
        return (ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, Task = LearningTask.Multiclass, LabelColumnName = null }).Fit(view),
            network, ml);
    }

    private static void AddEngine(Report report, string name, (ITransformer Model, Network Network, MLContext Context) measured)
    {
        if (measured.Network.RowSize == 784)
        {
            AddEngine<Row784>(report, name, measured);
        }
        else
        {
            AddEngine<RowOfImage>(report, name, measured);
        }
    }

    private static void AddEngine<TRow>(Report report, string name, (ITransformer Model, Network Network, MLContext Context) measured)
        where TRow : class, IFeatures, new()
    {
        using var engine = measured.Context.Model.CreatePredictionEngine<TRow, Scores>(measured.Model);
        var row = Draw<TRow>(measured.Network, 1)[0];
        var scores = new Scores();
        double Runs(int count)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < count; i++)
            {
                engine.Predict(row, ref scores);
            }

            return watch.Elapsed.TotalSeconds;
        }

        var theirs = BoundModel.Timer(measured.Network, row.Features, 1);
        var (left, right) = report.Interleave(SparseBenchmark.PerRun(Runs), SparseBenchmark.PerRun(theirs));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Runs(1000);
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 1000;
        report.Add(new($"PredictionEngine, {name}, {bytes} bytes a row", left, right, Microseconds, (our, their) => our / their, 1.05, AimIsLargest: true));
    }

    private static void AddTransform(Report report, string name, (ITransformer Model, Network Network, MLContext Context) measured)
    {
        var rows = Draw<Row784>(measured.Network, Rows);
        var view = measured.Context.Data.LoadFromEnumerable(rows);
        var batch = BoundModel.Timer(measured.Network, [.. rows.Take(BatchSize).SelectMany(row => row.Features)], BatchSize);
        // As many batches as the rows have, the last with what is left of them.
        var theirs = SparseBenchmark.PerRun(count => batch(count * Rows / BatchSize));
        var (left, right) = report.Interleave(SparseBenchmark.PerRun(count => Transform(measured.Model, view, count)), theirs);
        report.Add(new($"Transform, {name}", left, right, Microseconds, (our, their) => our / their, 1.1, AimIsLargest: true));
    }

    private static void AddThreads(Report report, string name, (ITransformer Model, Network Network, MLContext Context) measured, ScoringRuntime runtime)
    {
        const int threads = 2;
        var model = measured.Model.WithRuntime(runtime);
        var row = Draw<Row784>(measured.Network, 1)[0];
        Action<int>[] predict = [.. Enumerable.Range(0, threads).Select(_ =>
        {
            var engine = measured.Context.Model.CreatePredictionEngine<Row784, Scores>(model);
            var scores = new Scores();
            return (Action<int>)(count =>
            {
                for (var i = 0; i < count; i++)
                {
                    engine.Predict(row, ref scores);
                }
            });
        })];
        double Runs(int running, int count)
        {
            var watch = Stopwatch.StartNew();
            Thread[] others = [.. predict.Take(running).Skip(1).Select(run => new Thread(() => run(count)))];
            Array.ForEach(others, thread => thread.Start());
            predict[0](count);
            Array.ForEach(others, thread => thread.Join());
            return watch.Elapsed.TotalSeconds;
        }

        // Rounds of as many rows on both sides.
        var all = Math.Max(1, (int)(0.05 / SparseBenchmark.PerRun(count => Runs(1, count))()));
        Runs(threads, all);
        var (left, right) = report.Interleave(() => Runs(threads, all) / all, () => Runs(1, all) / all);
        report.Add(new($"PredictionEngine, {name}", left, right, Microseconds, (our, their) => threads * their / our, 1.6));
    }

    /// <summary>Our own route of loading, which scores in batches, against what ML.NET loads, which scores row by row.</summary>
    private static void AddLoaded(Report report, (ITransformer Model, Network Network, MLContext Context) measured)
    {
        var small = Measured<Row784>(Network.Mlp(784, 32, 10).Initialize(1));
        var view = small.Context.Data.LoadFromEnumerable(Draw<Row784>(measured.Network, Rows));
        using var ours = new MemoryStream();
        using var theirs = new MemoryStream();
        small.Context.Compression().Save(small.Model, view.Schema, ours);
        small.Context.Model.Save(small.Model, view.Schema, theirs);
        (ours.Position, theirs.Position) = (0, 0);
        var (loaded, other) = (small.Context.Compression().Load(ours, out _), small.Context.Model.Load(theirs, out _));
        var (left, right) = report.Interleave(SparseBenchmark.PerRun(count => Transform(loaded, view, count)),
            SparseBenchmark.PerRun(count => Transform(other, view, count)));
        report.Section("A saved model, one thread", "ml.Model.Load", "times as fast",
            $"`ml.Compression().Load` against `ml.Model.Load`: `Transform` of the MLP 784-32-10 over {Rows:N0} rows.");
        report.Add(new("Transform, MLP 784-32-10", left, right, Microseconds, (our, their) => their / our, 5));
    }

    private static string Microseconds(double seconds) => FormattableString.Invariant($"{seconds * 1e6:n1} us");

    private static double Transform(ITransformer model, IDataView view, int count)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            var scored = model.Transform(view);
            using var cursor = scored.GetRowCursor([scored.Schema["Score"]]);
            var read = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
            VBuffer<float> score = default;
            while (cursor.MoveNext())
            {
                read(ref score);
            }
        }

        return watch.Elapsed.TotalSeconds;
    }

    private static TRow[] Draw<TRow>(Network network, int count) where TRow : class, IFeatures, new()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => new TRow
        {
            Features = [.. Enumerable.Range(0, network.RowSize).Select(_ => random.NextSingle())],
        })];
    }

    private interface IFeatures
    {
        float[] Features { get; set; }
    }

    private sealed class Row784 : IFeatures
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];
    }

    private sealed class RowOfImage : IFeatures
    {
        [VectorType(3, 224, 224)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scores
    {
        public float[] Score { get; set; } = [];
    }
}
