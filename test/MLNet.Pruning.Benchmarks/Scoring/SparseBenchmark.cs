using System.Diagnostics;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Sparse kernels against the same network dense in ONNX Runtime, on one thread.</summary>
internal static class SparseBenchmark
{
    private const double SecondsOfRound = 0.05;

    /// <summary>On a single core, the runtime's own thread that compiles methods for good takes as long to get there.</summary>
    private const double SecondsOfWarmUp = 4;

    public static void Run(Report report)
    {
        report.Section($"Sparse kernels, one thread{(BoundModel.IsHeldToAvx2 ? ", both sides held to AVX2" : "")}", "ONNX Runtime, dense",
            "times as fast",
            """
            Weights set to zero at random. `ScoringRuntime.Sparse` against ONNX Runtime on memory that is bound once, rows copied in, on one thread
            each; of networks "in bytes" the managed side is quantised to 8 bits (static, weights of 7), the other dense floats; those without zeros are
            scored by the runtime that was timed faster. A second table for AVX2: `export DOTNET_EnableAVX512=0`.
            """);
        var isAvx2 = BoundModel.IsHeldToAvx2;
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.8, 1, null);
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.8, 64, null);
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.9, 1, isAvx2 ? 4.2 : 5);
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.9, 64, isAvx2 ? 5 : 6);
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.95, 1, isAvx2 ? 6.5 : null);
        Add(report, "MLP 784-300-100-10", BenchmarkNetworks.Mlp, 0.95, 64, isAvx2 ? 8.5 : null);
        Add(report, "Dense layer 1024 x 1024", BenchmarkNetworks.Dense, 0.9, 1, null);
        Add(report, "Dense layer 1024 x 1024", BenchmarkNetworks.Dense, 0.9, 64, null);
        Add(report, "Dense layer 1024 x 1024, blocks of 8 outputs", BenchmarkNetworks.Dense, 0.9, 1, 11, rows: 8);
        Add(report, "Convolution 3 x 3, 64 to 64, 28 x 28", BenchmarkNetworks.Convolution, 0.9, 1, 5);
        Add(report, "Convolution 3 x 3, 64 to 64, 28 x 28", BenchmarkNetworks.Convolution, 0.95, 1, 9);
        Add(report, "LeNet-5", BenchmarkNetworks.LeNet5, 0.9, 1, 3);
        Add(report, "LeNet-5", BenchmarkNetworks.LeNet5, 0.9, 64, null);
        Add(report, "ResNet-18 at 224 x 224", BenchmarkNetworks.ResNet18, 0.9, 1, 3);
        foreach (var (name, network, aim) in new (string, Network, double?)[]
        {
            ("MLP 784-300-100-10", BenchmarkNetworks.Mlp, 8), ("Dense layer 1024 x 1024", BenchmarkNetworks.Dense, null),
            ("Convolution 3 x 3, 64 to 64, 28 x 28", BenchmarkNetworks.Convolution, null), ("LeNet-5", BenchmarkNetworks.LeNet5, null),
        })
        {
            Add(report, name, network, 0.9, 1, aim, isInteger: true);
            Add(report, name, network, 0.9, 64, aim, isInteger: true);
        }

        Add(report, "ResNet-18 at 224 x 224", BenchmarkNetworks.ResNet18, 0.9, 1, null, isInteger: true);
        foreach (var (granularity, share) in new[]
        {
            (Granularity.WeightBlock(1, 4), 0.9), (Granularity.WeightBlock(16, 1), 0.9), (Granularity.NToM(2, 4), 0.5), (Granularity.NToM(1, 4), 0.75),
        })
        {
            var name = FormattableString.Invariant($"Dense layer 1024 x 1024, {share:0%} zeros by {granularity}");
            var pruned = BenchmarkNetworks.Dense.Prune(Amount.Fraction(share), granularity: granularity).Network;
            Add(report, name, pruned, BenchmarkNetworks.Dense, 1, null);
            var bytes = InBytes(pruned);
            Add(report, $"{name} in bytes", bytes, BenchmarkNetworks.Dense, 1, null);
            Add(report, $"{name} in bytes", bytes, BenchmarkNetworks.Dense, 64, null);
        }

        var (full, small) = (BenchmarkNetworks.LeNet5, BenchmarkNetworks.SmallLeNet5);
        foreach (var (name, network) in new[]
        {
            ("LeNet-5 in bytes", InBytes(full)), ("LeNet-5 without 70% of its channels and units", small),
            ("LeNet-5 without 70% of its channels and units, in bytes", InBytes(small)),
        })
        {
            Add(report, $"{name}, no zeros", network, full, 1, null, ScoringRuntime.Auto);
            Add(report, $"{name}, no zeros", network, full, 64, null, ScoringRuntime.Auto);
        }
    }

    /// <summary>The network quantised to static 8-bit integers.</summary>
    internal static Network InBytes(Network network)
    {
        var random = new Random(1);
        return network.Quantize(Quantizer.Int8(), [.. Enumerable.Range(0, 16 * network.Input.RowSize).Select(_ => random.NextSingle())]);
    }

    private static void Add(Report report, string name, Network network, double zeros, int batch, double? aim, int rows = 1,
        bool isInteger = false)
    {
        network = BenchmarkNetworks.WithZeros(network, zeros, rows);
        Add(report, FormattableString.Invariant($"{name}{(isInteger ? " in bytes" : "")}, {zeros:0%} zeros"), isInteger ? InBytes(network) : network, network,
            batch, aim);
    }

    private static void Add(Report report, string name, Network network, Network other, int batch, double? aim,
        ScoringRuntime runtime = ScoringRuntime.Sparse)
    {
        using var scorer = ScoringPlan.Of(network, runtime).Create(softmax: false, batch);
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, scorer.Rows.Length).Select(_ => random.NextSingle())];
        Func<int, double> ours = count =>
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < count; i++)
            {
                values.CopyTo(scorer.Rows, 0);
                scorer.Run(batch);
            }

            return watch.Elapsed.TotalSeconds;
        };
        var theirs = BoundModel.Timer(other, values, batch);
        var (left, right) = report.Interleave(PerRun(ours), PerRun(theirs));
        report.Add(new(FormattableString.Invariant($"{name}, {batch} row{(batch > 1 ? "s" : "")}"), left, right,
            seconds => FormattableString.Invariant($"{seconds * 1e6:n1} us"), (our, their) => their / our, aim));
    }

    /// <summary>Seconds of a run, of as many as a round takes; after a warm-up.</summary>
    internal static Func<double> PerRun(Func<int, double> runs)
    {
        var count = Math.Max(1, (int)(SecondsOfRound / Math.Min(runs(1), runs(1))));
        for (var warm = 0.0; warm < SecondsOfWarmUp;)
        {
            warm += runs(count);
        }

        count = Math.Max(1, (int)(SecondsOfRound / (runs(count) / count)));
        return () => runs(count) / count;
    }
}
