using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Tests;

namespace MLNet.Pruning.Benchmarks;

/// <summary>What the first score and the first pruning of a process take, from its start.</summary>
internal static class StartBenchmark
{
    private const int Classes = 10;
    private const int Width = 784;

    /// <param name="report">Takes the figures.</param>
    /// <param name="peers">The Python peers; null where there are none.</param>
    /// <param name="torchPruning">Folder of the Python package torch_pruning; null where there is none.</param>
    /// <param name="packaged">This program with the library as its package has it, compiled ahead; null where there is none.</param>
    /// <param name="compiled">This program with all of its code compiled ahead (PublishReadyToRun); null where there is none.</param>
    public static void Run(Report report, PeerScripts? peers, DirectoryInfo? torchPruning, FileInfo? packaged, FileInfo? compiled)
    {
        var folder = Directory.CreateTempSubdirectory("start");
        (string Name, FileInfo? Program)[] programs = [("", null), .. new[] { (", as packaged", packaged), (", all compiled ahead", compiled) }
            .Where(program => program.Item2 is not null)];
        try
        {
            report.Section("Start of a process to its first score", "bare ONNX Runtime", "times as long, or as much memory",
                """
                A fresh process each time, from its start to the score of one row, and the peak of its memory. The other side has the network's ONNX file in a
                session of ONNX Runtime and nothing else. "As packaged": with the library compiled ahead, as its package has it. "All compiled ahead":
                published with `PublishReadyToRun`, as .NET itself is.
                """);
            foreach (var (name, network) in new[] { ("MLP 784-300-100-10", BenchmarkNetworks.Mlp), ("LeNet-5", BenchmarkNetworks.LeNet5) })
            {
                var (ours, standard, bare) = Save(network, folder);
                foreach (var (how, program) in programs)
                {
                    Add(report, $"{name}, `ml.Compression().Load`{how}", program, StartedBy.Compression, ours, bare);
                    Add(report, $"{name}, `ml.Model.Load`{how}", program, StartedBy.Model, standard, bare);
                }
            }

            report.Section("First pruning of a process", "Torch-Pruning", "times as long, or as much memory",
                """
                A fresh process each time, from its start to a ResNet-50 (a file of 94 MB) without half of its filters. The other side imports PyTorch and
                torch_pruning and reads a file of weights.
                """);
            var file = new ZooArchive("networks").Get("resnet50").Path;
            var peer = Peer(peers, torchPruning, Path.Combine(folder.FullName, "resnet50.pt"));
            foreach (var (how, program) in programs)
            {
                var (ours, theirs) = report.Interleave(() => Start(() => Ours(program, StartedBy.Pruning, file)), peer is null ? null : () => Start(peer));
                AddLine(report, $"ResNet-50{how}", ours, theirs);
                report.Add(new($"ResNet-50{how}: pruning alone", [.. ours.Select(round => round.Alone)], [.. theirs.Select(round => round.Alone)],
                    Milliseconds, (our, their) => our / their));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Add(Report report, string name, FileInfo? program, StartedBy what, string file, string bare)
    {
        var (ours, theirs) = report.Interleave(() => Start(() => Ours(program, what, file)), () => Start(() => Ours(program, StartedBy.Session, bare)));
        AddLine(report, name, ours, theirs);
    }

    private static void AddLine(Report report, string name, IReadOnlyList<Round> ours, IReadOnlyList<Round> theirs)
    {
        report.Add(new($"{name}: time", [.. ours.Select(round => round.Seconds)], [.. theirs.Select(round => round.Seconds)], Milliseconds,
            (our, their) => our / their));
        report.Add(new($"{name}: peak memory", [.. ours.Select(round => round.Bytes)], [.. theirs.Select(round => round.Bytes)], Megabytes,
            (our, their) => our / their));
    }

    private static Peer Ours(FileInfo? program, StartedBy what, string file)
    {
        string[] arguments = [StartRound.Name, what.ToString(), file, Width.ToString(CultureInfo.InvariantCulture)];
        return program is null ? Benchmarks.Peer.Self(null, arguments) : new(program.FullName, arguments);
    }

    /// <summary>What starts Torch-Pruning on a file of weights, which the first of its processes writes.</summary>
    private static Func<Peer>? Peer(PeerScripts? peers, DirectoryInfo? torchPruning, string weights)
    {
        if (peers is null || torchPruning is null)
        {
            return null;
        }

        var environment = new Dictionary<string, string> { ["PYTHONPATH"] = torchPruning.FullName };
        using var writes = peers.Start("first_pruning.py", environment, weights);
        writes.Answer();
        return () => peers.Start("first_pruning.py", environment, weights);
    }

    private static Round Start(Func<Peer> what)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = what();
        var answer = process.Answer();
        return new(Stopwatch.GetElapsedTime(start).TotalSeconds, answer[0], answer[1]);
    }

    /// <summary>A model of a network that was trained and pruned, in both of its forms, and the network by itself.</summary>
    private static (string Ours, string Standard, string Bare) Save(Network network, DirectoryInfo folder)
    {
        var (ml, random) = (new MLContext(seed: 1), new Random(1));
        var definition = SchemaDefinition.Create(typeof(Labelled));
        definition[nameof(Labelled.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Width);
        definition[nameof(Labelled.Label)].ColumnType = new KeyDataViewType(typeof(uint), Classes);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6 * Classes).Select(i => new Labelled
        {
            Features = [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle())],
            Label = (uint)(i % Classes),
        }), definition);
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: 1).Append(ml.Transforms.Prune(0.5)).Fit(rows);
        var (ours, standard, bare) = (Path.Combine(folder.FullName, "ours.zip"), Path.Combine(folder.FullName, "standard.zip"),
            Path.Combine(folder.FullName, "bare.onnx"));
        ml.Compression().Save(model, rows.Schema, ours);
        ml.Model.Save(model.Compact(), rows.Schema, standard);
        model.LastTransformer.Network.SaveOnnx(bare);
        return (ours, standard, bare);
    }

    private static string Milliseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{1e3 * seconds:n0} ms");

    private static string Megabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:n0} MB");

    private sealed class Labelled
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }

    /// <param name="Seconds">From the start of the process.</param>
    /// <param name="Bytes">The peak of its memory.</param>
    /// <param name="Alone">Seconds of the pruning alone.</param>
    private sealed record Round(double Seconds, double Bytes, double Alone);
}
