using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning;

/// <summary>What a network holds and costs, counted from its values; prints as a table.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class NetworkCost : IHtmlDisplay
{
    private readonly Lazy<StorageCost> _storage;

    private NetworkCost(ImmutableArray<LayerCost> layers, IEnumerable<Parameter> parameters)
        => (Layers, Total, _storage) = (layers, Sum(layers), new(() => new(parameters)));

    /// <summary>The layers that have parameters, in order.</summary>
    public ImmutableArray<LayerCost> Layers { get; }

    /// <summary>Their sum.</summary>
    public LayerCost Total { get; }

    /// <summary>Values that operators read which are not analysed, by operator; empty where all are counted.</summary>
    public ImmutableArray<LeftOutValues> LeftOut { get; private init; } = [];

    /// <summary>What its parameters take by encoding, computed when it is first asked for; of trees nothing. Cost: some microseconds a value.</summary>
    public StorageCost Storage => _storage.Value;

    /// <summary>What an ensemble of trees holds, where it is one that was measured; null for a network.</summary>
    public TreeCost? Trees { get; private init; }

    /// <summary>An ensemble of trees: one layer, of thresholds and leaf values.</summary>
    internal static NetworkCost Of(TreeCost cost, long nonZeros)
        => new([new("trees", "TreeEnsemble", cost.Nodes + cost.Leaves, nonZeros, nonZeros, 0, 0, 0, 0, cost.Bytes)], []) { Trees = cost };

    /// <summary>Counts a network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet.</exception>
    public static NetworkCost Of(Network network) => Of(network, CancellationToken.None);

    /// <inheritdoc cref="Of(Network)"/>
    internal static NetworkCost Of(Network network, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(network);
        // Where no layer has parameters there is nothing to look at.
        var liveness = new Lazy<Liveness>(() => new(network, cancellation));
        // What several layers read is counted with the first of them.
        var counted = new HashSet<string>();
        return new([.. network.Layers.Where(layer => layer.Parameters.Count > 0 || !layer.MultiplyAdds.IsZero)
            .Select(layer => Count(network, liveness, layer, [.. layer.Parameters.Where(counted.Add).Select(name => network[name])]))], network.Parameters)
        {
            LeftOut = [.. LeftOutValues.Of(network)],
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Trees is { } trees ? trees.ToString() : Table()
        + string.Concat(NotCounted(Layers).Prepend(LeftOutValues.Describe(LeftOut, Total.Parameters)).OfType<string>()
            .Select(line => Environment.NewLine + line));

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => Trees is { } trees ? [new ReportText(trees.ToString())]
        : [Table(), .. NotCounted(Layers).Select(line => new ReportText(line))];

    private ReportTable Table() => new(["layer", "parameters", "non-zeros", "live", "sparsity", "multiply-adds", "live", "dense bytes"],
        [.. Layers.Select(Row)], Row(Total));

    /// <summary>A line for each operator and reason why multiply-adds are not counted, with the layers.</summary>
    internal static IEnumerable<string> NotCounted(IEnumerable<LayerCost> layers)
        => layers.Where(layer => layer.NotCounted is not null).GroupBy(layer => (layer.Operator, layer.NotCounted))
        .Select(group => string.Create(CultureInfo.InvariantCulture,
            $"?: the multiply-adds of {Named([.. group.Select(layer => layer.Name)])} ({group.Key.Operator}) are not counted: {group.Key.NotCounted}"));

    private static string Named(string[] names)
        => string.Join(", ", names.Take(3).Select(name => $"'{name}'"))
            + (names.Length > 3 ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - 3:N0} more") : "");

    private static LayerCost Count(Network network, Lazy<Liveness> liveness, LayerInfo layer, Parameter[] parameters)
    {
        var trained = parameters.Where(parameter => parameter.Trainable).ToArray();
        var weights = layer.Weights.Select(name => network[name]).ToArray();
        var live = weights.Length == 0 ? layer.MultiplyAdds : layer.PositionsPerWeight * weights.Sum(weight => liveness.Value.Live(layer.Node, weight.Name));
        return new(layer.Node.Name, layer.Node.Operator,
            trained.Sum(parameter => (long)parameter.Count),
            trained.Sum(parameter => Liveness.NonZeros(parameter.Values)),
            trained.Sum(parameter => liveness.Value.Live(layer.Node, parameter.Name)),
            weights.Sum(weight => (long)weight.Count),
            weights.Sum(weight => Liveness.NonZeros(weight.Values)),
            layer.MultiplyAdds.Number,
            live.Number,
            parameters.Sum(parameter => (long)parameter.Count * sizeof(float))) { MultiplyAddsCount = layer.MultiplyAdds, LiveMultiplyAddsCount = live,
                NotCounted = layer.NotCounted };
    }

    private static LayerCost Sum(ImmutableArray<LayerCost> layers)
    {
        var all = layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.MultiplyAddsCount);
        var live = layers.Aggregate(OpenCount.Zero, (sum, layer) => sum + layer.LiveMultiplyAddsCount);
        return new("total", "", layers.Sum(layer => layer.Parameters), layers.Sum(layer => layer.NonZeros), layers.Sum(layer => layer.LiveNonZeros),
            layers.Sum(layer => layer.Weights), layers.Sum(layer => layer.NonZeroWeights), all.Number, live.Number, layers.Sum(layer => layer.DenseBytes))
            { MultiplyAddsCount = all, LiveMultiplyAddsCount = live };
    }

    private static string[] Row(LayerCost cost) =>
    [
        cost.Name, Number(cost.Parameters), Number(cost.NonZeros), Number(cost.LiveNonZeros),
        double.IsNaN(cost.Sparsity) ? "" : cost.Sparsity.ToString("P1", CultureInfo.InvariantCulture),
        cost.MultiplyAddsFormula, cost.LiveMultiplyAddsFormula, Number(cost.DenseBytes),
    ];

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
