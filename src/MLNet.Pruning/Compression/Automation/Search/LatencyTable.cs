using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning;

/// <summary>
/// How long each layer takes as more and more of all layers goes: what a search of <c>ml.Transforms.AutoPrune</c> looks up in place of timing every network
/// that it thinks of. It is measured on a few networks, all of whose layers are at the same level, in which each layer is timed along with the others. A layer
/// of another network, with neighbours at other levels, is taken to need what lies between those with the nearest multiply-adds. Prints as a table in
/// milliseconds.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed record LatencyTable : IHtmlDisplay
{
    private const string Others = "all else";

    [JsonConstructor]
    internal LatencyTable(int batch, IReadOnlyList<ScoringRuntime> runtimes, IReadOnlyList<LayerLatency> layers)
        => (Batch, Runtimes, Layers) = (batch, runtimes, layers);

    /// <summary>Rows of the batch that was timed.</summary>
    public int Batch { get; }

    /// <summary>What scored the network of each level fastest, the one as it was first.</summary>
    public IReadOnlyList<ScoringRuntime> Runtimes { get; }

    /// <summary>The layers that multiply, in the order of the network; the last is all else together, which counts the multiply-adds of all layers.</summary>
    public IReadOnlyList<LayerLatency> Layers { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, Parts);

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => Parts;

    internal IReadOnlyList<ReportPart> Parts =>
    [
        new ReportTable(["layer", .. Layers[^1].MultiplyAdds.Select(left => Left(left, Layers[^1].MultiplyAdds[0]))],
        [
            .. Layers.Select(layer => (string[])[layer.Layer, .. layer.Milliseconds.Select(Text)]),
            ["whole", .. Runtimes.Select((_, level) => Text(Whole(level)))],
            ["runtime", .. Runtimes.Select(runtime => runtime.ToString())],
        ]),
    ];

    /// <summary>The whole at a level: the sum of its parts.</summary>
    internal double Whole(int level) => Layers.Sum(layer => layer.Milliseconds[level]);

    /// <summary>A table of networks that were timed.</summary>
    /// <param name="batch">Rows of the batch that was timed.</param>
    /// <param name="levels">What multiplies, by name, and how long the network takes, the network as it is first.</param>
    internal static LatencyTable Of(int batch, IReadOnlyList<(IReadOnlyDictionary<string, long> Work, NetworkTime Time)> levels)
    {
        string[] names = [.. levels[0].Work.Keys];
        var layers = names.Select(name => new LayerLatency(name, [.. levels.Select(level => level.Work.GetValueOrDefault(name))],
            [.. levels.Select(level => level.Work.ContainsKey(name) ? level.Time.Layers.GetValueOrDefault(name) : 0)])).ToArray();
        return new(batch, [.. levels.Select(level => level.Time.Runtime)],
        [
            .. layers, new(Others, [.. levels.Select(level => level.Work.Values.Sum())],
                [.. levels.Select((level, i) => Math.Max(0, level.Time.Milliseconds - layers.Sum(layer => layer.Milliseconds[i])))]),
        ]);
    }

    /// <summary>What a network takes by it.</summary>
    /// <param name="work">Its layers' multiply-adds, by name.</param>
    internal double Milliseconds(IReadOnlyDictionary<string, long> work)
        => Layers.SkipLast(1).Sum(layer => work.TryGetValue(layer.Layer, out var multiplyAdds) ? layer.At(multiplyAdds) : 0) + Layers[^1].At(work.Values.Sum());

    private static string Left(long left, long all) => ((double)left / Math.Max(1, all)).ToString("P0", CultureInfo.InvariantCulture);

    private static string Text(double milliseconds) => milliseconds.ToString("0.0000", CultureInfo.InvariantCulture);
}

/// <summary>How long a layer takes at each level of a <see cref="LatencyTable"/>.</summary>
public sealed record LayerLatency
{
    [JsonConstructor]
    internal LayerLatency(string layer, IReadOnlyList<long> multiplyAdds, IReadOnlyList<double> milliseconds)
        => (Layer, MultiplyAdds, Milliseconds) = (layer, multiplyAdds, milliseconds);

    /// <summary>Name of the layer.</summary>
    public string Layer { get; }

    /// <summary>Multiply-adds for one row at each level; where weights are set to zero, those of weights that are left.</summary>
    public IReadOnlyList<long> MultiplyAdds { get; }

    /// <summary>Milliseconds of the batch at each level.</summary>
    public IReadOnlyList<double> Milliseconds { get; }

    /// <summary>In proportion between the two levels with the nearest multiply-adds; levels with the same count as one, at their mean.</summary>
    internal double At(long multiplyAdds)
    {
        (long Work, double Time)[] points = [.. MultiplyAdds.Zip(Milliseconds).GroupBy(level => level.First, level => level.Second)
            .Select(level => (level.Key, level.Average())).OrderBy(level => level.Key)];
        var above = Array.FindIndex(points, point => point.Work >= multiplyAdds);
        if (above <= 0)
        {
            return points[above == 0 ? 0 : ^1].Time;
        }

        var (low, high) = (points[above - 1], points[above]);
        return low.Time + (high.Time - low.Time) * (multiplyAdds - low.Work) / (high.Work - low.Work);
    }
}
