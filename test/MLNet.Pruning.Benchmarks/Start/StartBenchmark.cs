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
    /// <param name="compiled">This program with all of its code compiled ahead (PublishReadyToRun); null where there is none.</param>
    public static void Run(Report report, FileInfo? compiled)
    {
        var folder = Directory.CreateTempSubdirectory("start");
        try
        {
            report.Section("Start of a process to its first score", "bare ONNX Runtime", "times as long, or as much memory",
                """
                A fresh process each time, from its start to the score of one row, and the peak of its memory. The other side has the network's ONNX file in a
                session of ONNX Runtime and nothing else. "Compiled ahead": published with `PublishReadyToRun`, as .NET itself is.
                """);
            foreach (var (name, network) in new[] { ("MLP 784-300-100-10", BenchmarkNetworks.Mlp), ("LeNet-5", BenchmarkNetworks.LeNet5) })
            {
                var (ours, standard, bare) = Save(network, folder);
                foreach (var program in new[] { null, compiled }.Distinct())
                {
                    var ahead = program is null ? "" : ", compiled ahead";
                    Add(report, $"{name}, `ml.Compression().Load`{ahead}", program, StartedBy.Compression, ours, bare);
                    Add(report, $"{name}, `ml.Model.Load`{ahead}", program, StartedBy.Model, standard, bare);
                }
            }

            report.Section("First pruning of a process", "", "",
                "A fresh process each time, from its start to a ResNet-50 (an ONNX file of 94 MB) without half of its filters.");
            var file = new ZooArchive("networks").Get("resnet50").Path;
            foreach (var program in new[] { null, compiled }.Distinct())
            {
                var (rounds, _) = report.Interleave(() => Start(program, StartedBy.Pruning, file), null);
                var name = $"ResNet-50{(program is null ? "" : ", compiled ahead")}";
                report.Add(new($"{name}: time", [.. rounds.Select(round => round.Seconds)], [], Milliseconds, (our, their) => our / their));
                report.Add(new($"{name}: peak memory", [.. rounds.Select(round => round.Bytes)], [], Megabytes, (our, their) => our / their));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Add(Report report, string name, FileInfo? program, StartedBy what, string file, string bare)
    {
        var (ours, theirs) = report.Interleave(() => Start(program, what, file), () => Start(program, StartedBy.Session, bare));
        report.Add(new($"{name}: time", [.. ours.Select(round => round.Seconds)], [.. theirs.Select(round => round.Seconds)], Milliseconds,
            (our, their) => our / their));
        report.Add(new($"{name}: peak memory", [.. ours.Select(round => round.Bytes)], [.. theirs.Select(round => round.Bytes)], Megabytes,
            (our, their) => our / their));
    }

    private static (double Seconds, double Bytes) Start(FileInfo? program, StartedBy what, string file)
    {
        string[] arguments = [StartRound.Name, what.ToString(), file, Width.ToString(CultureInfo.InvariantCulture)];
        var start = Stopwatch.GetTimestamp();
        using var process = program is null ? Peer.Self(null, arguments) : new Peer(program.FullName, arguments);
        var bytes = process.Answer()[0];
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, bytes);
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
}
