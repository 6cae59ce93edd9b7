using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>
/// A sentence encoder with real weights that loses 25 % of its heads and 30 % of its hidden units without training or labels: by size alone, and in the best
/// of several ways, which sentences that are held back choose. Pairs of other sentences, read at the end, say what is left of its similarities.
/// </summary>
internal static class MiniLm
{
    public const string Name = "minilm";

    /// <summary>Sentences that calibrate; the rest of the file is held back to choose by.</summary>
    private const int Calibration = 256;

    /// <summary>Rows that are made of each: itself, and others in which 10 %, 20 % and so on of its words are drawn from the vocabulary.</summary>
    private const int Variants = 8;

    private const double Heads = 0.25, Units = 0.3;

    public static int Run(DirectoryInfo output)
    {
        var encoder = new Encoder();
        var sentences = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "MiniLm", "calibration.txt"));
        var (calibration, held) = (sentences[..Calibration], sentences[Calibration..]);
        // So few sentences have few of the words there are: with words that are drawn, weights are fitted to what any of them does.
        var random = new Random(1);
        float[] rows = [.. Enumerable.Range(0, Variants).SelectMany(variant => calibration.Select(sentence => encoder.Row(sentence, 0.1 * variant, random)))
            .SelectMany(row => row)];
        var (dense, before) = (encoder.Embed(encoder.Network, held), Peak.Now());
        var magnitude = Prune(encoder.Network, rows, new(Importance.L1, Recovery.None, Scope.Layer));
        var (best, most, tried) = (magnitude, Cosine(encoder.Embed(magnitude, held), dense), new List<Tried>());
        var (greedy, fit) = (Importance.OptimalBrainSurgeon(Calibration * Variants, order: SurgeonOrder.Greedy),
            Recovery.Reconstruct(Calibration * Variants, damping: null));
        foreach (var way in (Way[])[new(greedy, fit, Scope.Network, KeepsLast: true), new(greedy, fit, Scope.Network), new(greedy, fit, Scope.Layer)])
        {
            var (watch, network, peak) = (Stopwatch.StartNew(), best, new Peak(before));
            using (peak)
            {
                network = Prune(encoder.Network, rows, way);
            }

            var cosine = Cosine(encoder.Embed(network, held), dense);
            tried.Add(new(way.ToString(), cosine, watch.Elapsed.TotalSeconds, peak.Bytes));
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

    /// <summary>First heads go, then hidden units of what is left.</summary>
    private static Network Prune(Network network, float[] rows, Way way)
    {
        string[] hidden = [.. network.Groups().Where(group => group.Kind == StructureKind.Neuron).Select(group => group.Layer).Distinct()];
        var chosen = way.KeepsLast ? hidden[..^1] : hidden;
        return Prune(Prune(network, Granularity.Head, Heads, way.Scope), Granularity.Neuron, Units * hidden.Length / chosen.Length, way.Scope.Only(chosen));

        // Not normalised: an error of the one layer counts as one of another.
        Network Prune(Network network, Granularity granularity, double amount, Scope scope) => network.Prune(new()
        {
            Granularity = granularity, Amount = Amount.Fraction(amount), Scope = scope, Importance = way.Importance, Normalize = false, Recovery = way.Recovery,
        }, rows, out _).Network;
    }

    private static double Cosine(float[][] embeddings, float[][] dense) => embeddings.Zip(dense, Similarity.Of).Average();

    /// <summary>How to prune.</summary>
    /// <param name="Importance">What goes.</param>
    /// <param name="Recovery">What makes up for it.</param>
    /// <param name="Scope">Whether layers are compared.</param>
    /// <param name="KeepsLast">
    /// Whether the last hidden layer keeps all of its units, for which the others lose more: no layer behind it makes up for its errors.
    /// </param>
    private sealed record Way(Importance Importance, Recovery Recovery, Scope Scope, bool KeepsLast = false)
    {
        public override string ToString() => $"{Importance}, {Recovery}, Scope.{Scope}{(KeepsLast ? ", the last hidden layer whole" : "")}";
    }

    /// <summary>What a way gave on the sentences held back, and took.</summary>
    private sealed record Tried(string Settings, double Cosine, double Seconds, long PeakBytes);

    private sealed record Result(string Way, double Cosine, double PairRank, double AnyRank);
}
