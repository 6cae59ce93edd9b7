using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>
/// A sentence encoder with real weights that loses 25 % of the heads and 30 % of the hidden units of every layer without training or labels: by size alone, and
/// in the best of several ways, which sentences that are held back choose. Pairs of other sentences, read at the end, say what is left of its similarities.
/// </summary>
internal static class MiniLm
{
    public const string Name = "minilm";

    /// <summary>Sentences that calibrate; the rest of the file is held back to choose by.</summary>
    private const int Calibration = 256;

    public static int Run(DirectoryInfo output)
    {
        var encoder = new Encoder();
        var sentences = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "MiniLm", "calibration.txt"));
        var (calibration, held) = (sentences[..Calibration], sentences[Calibration..]);
        // Each goes on with the one after it as far as there is room: what is masked would be fitted too.
        float[] rows = [.. calibration.SelectMany((sentence, i) => encoder.Row($"{sentence} {calibration[(i + 1) % calibration.Length]}"))];
        var plain = Options(encoder.Network, Importance.L1, Recovery.None);
        var fit = Recovery.Reconstruct(Calibration, damping: null);
        PruningOptions[] ways =
        [
            Options(encoder.Network, Importance.OptimalBrainSurgeon(Calibration, order: SurgeonOrder.Greedy), fit),
            Options(encoder.Network, Importance.Wanda(Calibration), fit), Options(encoder.Network, Importance.L1, fit),
        ];
        var dense = encoder.Embed(encoder.Network, held);
        var magnitude = encoder.Network.Prune(plain, rows, out _).Network;
        var (best, most, tried) = (magnitude, Cosine(encoder.Embed(magnitude, held), dense), new List<Way>());
        foreach (var way in ways)
        {
            var (watch, network, peak) = (Stopwatch.StartNew(), best, new Peak());
            using (peak)
            {
                network = encoder.Network.Prune(way, rows, out _).Network;
            }

            var cosine = Cosine(encoder.Embed(network, held), dense);
            tried.Add(new($"{way.Importance}, {way.Recovery}", cosine, watch.Elapsed.TotalSeconds, peak.Bytes));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tried[^1].Settings}: cosine {cosine:0.0000} on the sentences held back, "
                + $"{tried[^1].Seconds:0} s, {peak.Bytes / 1e6:0} MB at the most ({(double)peak.Bytes / encoder.Bytes:0.0} times the model)"));
            (best, most) = cosine > most ? (network, cosine) : (best, most);
        }

        output.Create();
        best.SaveOnnx(Path.Combine(output.FullName, "minilm.onnx"));
        string[] pairs = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "MiniLm", "pairs.tsv")).SelectMany(line => line.Split('\t'))];
        dense = encoder.Embed(encoder.Network, pairs);
        Result[] results = [Measure("by size", magnitude), Measure("the best", best)];
        File.WriteAllText(Path.Combine(output.FullName, "minilm.json"), JsonSerializer.Serialize(new { tried, results },
            new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase }));
        Console.WriteLine();
        Console.WriteLine("| way | cosine to the dense embeddings | rank correlation of the pairs | of any two sentences |");
        Console.WriteLine("|---|---:|---:|---:|");
        foreach (var result in results)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {result.Way} | {result.Cosine:0.000} | {result.PairRank:0.000} | {result.AnyRank:0.000} |"));
        }

        return 0;

        Result Measure(string way, Network network)
        {
            var embeddings = encoder.Embed(network, pairs);
            return new(way, Cosine(embeddings, dense), Similarity.Rank(Similarity.Pairs(embeddings), Similarity.Pairs(dense)),
                Similarity.Rank(Similarity.Any(embeddings), Similarity.Any(dense)));
        }
    }

    /// <summary>A quarter of the heads of every layer, and 30 % of its hidden units.</summary>
    public static PruningOptions Options(Network network, Importance importance, Recovery recovery) => new()
    {
        Granularity = Granularity.Head, Amount = Amount.Fraction(0.25), Scope = Scope.Layer, Importance = importance, Recovery = recovery,
        Layers = [.. network.Groups().Where(group => group.Kind == StructureKind.Neuron).Select(group => group.Layer).Distinct()
            .Select(layer => LayerRule.Named(layer, Amount.Fraction(0.3), Granularity.Neuron))],
    };

    private static double Cosine(float[][] embeddings, float[][] dense) => embeddings.Zip(dense, Similarity.Of).Average();

    /// <summary>What a way gave on the sentences held back, and took.</summary>
    private sealed record Way(string Settings, double Cosine, double Seconds, long PeakBytes);

    private sealed record Result(string Way, double Cosine, double PairRank, double AnyRank);
}
