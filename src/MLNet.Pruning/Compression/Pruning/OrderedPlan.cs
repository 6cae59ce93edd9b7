using MLNet.Pruning.Compression.Pruning.Record;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>One layer after another, each through all its steps; layers that lose nothing take none.</summary>
internal sealed class OrderedPlan : PruningPlan
{
    private readonly PruningPlan _whole;
    private readonly PruningPlan[] _layers;

    /// <param name="whole">What all layers are to lose.</param>
    /// <param name="order">Which way.</param>
    /// <param name="network">The network.</param>
    public OrderedPlan(PruningPlan whole, LayerOrder order, Network network)
    {
        var names = network.Layers.Select(layer => layer.Node.Name).ToList();
        _whole = whole;
        _layers = [.. whole.ByLayer().OrderBy(layer => names.IndexOf(layer.Layer) is var place && order == LayerOrder.TopDown ? -place : place)
            .Select(layer => layer.Plan)];
    }

    public override int Steps => Math.Max(1, _layers.Sum(layer => layer.Steps));

    public override CandidateRecord Record => CandidateRecord.Of(_layers.Select(layer => layer.Record));

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores)
    {
        good = step == 0 ? _whole.Open(good) : good;
        foreach (var layer in _layers)
        {
            if (step < layer.Steps)
            {
                return layer.Prune(good, step, most, ref scores);
            }

            step -= layer.Steps;
        }

        return good;
    }

    public override (double Sparsity, long Left) Describe(PrunedNetwork network) => _whole.Describe(network);

    public override IEnumerable<(string Layer, PruningPlan Plan)> ByLayer() => _whole.ByLayer();

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var layers = _layers.Select(layer => layer.Complete(report, network)).SelectMany(layer => layer.Widths).ToArray();
        var whole = _whole.Complete(report, network);
        return whole with
        {
            Record = Record,
            Warnings = [.. _layers.SelectMany(layer => layer.Complete(report, network).Warnings).Distinct()],
            Widths = [.. whole.Widths.Select(width => layers.FirstOrDefault(layer => (layer.Layer, layer.Kind) == (width.Layer, width.Kind)) ?? width)],
        };
    }
}
