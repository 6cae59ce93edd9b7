using System.Globalization;
using MLNet.Pruning.Cli.Runtime;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Latency of networks without half and without 70% of their channels, against the dense ones, in ONNX Runtime.</summary>
internal static class RemovalBenchmark
{
    // Runs are short and there are only two sides: more rounds than elsewhere cost little.
    private const int RoundsEach = 3;
    private const double Aim = 8;

    public static void Run(Report report, PeerScripts? peer)
    {
        report.Section("Removal, latency in ONNX Runtime", "dense", "times as fast",
            """
            One row, one thread. Channels and units are removed layer by layer (`Granularity.Unit`, `Scope.Layer`); "exact" keeps the widths that the share
            gives, "aligned" rounds them to multiples of 16. In brackets how many times fewer multiply-adds are left.
            """);
        var folder = Directory.CreateTempSubdirectory("removal");
        try
        {
            foreach (var (name, network) in Networks(peer, folder))
            {
                var dense = Save(network, folder, "dense");
                foreach (var share in new[] { 0.5, 0.7 })
                {
                    foreach (var alignment in new[] { 16, 1 })
                    {
                        Add(report, name, dense, share, alignment, folder);
                    }
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<(string Name, Network Network)> Networks(PeerScripts? peer, DirectoryInfo folder)
    {
        yield return ("MLP 784-300-100-10", Network.Mlp(784, 300, 100, 10).Initialize(1));
        yield return ("LeNet-5", Network.Sequential([1, 28, 28], Layer.Conv2d(20, 5), Layer.MaxPool(2), Layer.Conv2d(50, 5), Layer.MaxPool(2),
            Layer.Flatten(), Layer.Dense(500), Layer.Relu(), Layer.Dense(10)).Initialize(1));
        if (peer is null)
        {
            yield break;
        }

        var file = Path.Combine(folder.FullName, "resnet18.onnx");
        using (var export = peer.Start("bench_networks.py", null, file))
        {
            export.Answer();
        }

        yield return ("ResNet-18 at 224 x 224", Network.FromOnnx(file));
    }

    private static void Add(Report report, string name, Model dense, double share, int alignment, DirectoryInfo folder)
    {
        var options = new PruningOptions { Amount = Amount.Fraction(share), Granularity = Granularity.Unit, Scope = Scope.Layer, Alignment = alignment };
        var small = Save(dense.Network.Prune(options).Network, folder, "small");
        var fewer = (double)NetworkCost.Of(dense.Network).Total.MultiplyAdds!.Value / NetworkCost.Of(small.Network).Total.MultiplyAdds!.Value;
        using var before = new BoundRun(dense, batch: 1, threads: 1, new(1, new Dictionary<string, int>()), seed: 1);
        using var after = new BoundRun(small, batch: 1, threads: 1, new(1, new Dictionary<string, int>()), seed: 1);
        var (theirs, ours) = SideBySide.Measure(before.Repeat, after.Repeat, report.Rounds * RoundsEach, _ => { });
        report.Add(new(string.Create(CultureInfo.InvariantCulture, $"{name}, {share:0%} removed, {(alignment > 1 ? "aligned" : "exact")} ({fewer:0.0}x)"), ours,
            theirs,
            seconds => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:n0} us"), (our, their) => their / our,
            name.StartsWith("ResNet", StringComparison.Ordinal) && share > 0.5 && alignment > 1 ? Aim : null));
    }

    private static Model Save(Network network, DirectoryInfo folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder.FullName, $"{name}.onnx"));
        network.SaveOnnx(file.FullName);
        return new(file, network);
    }
}
