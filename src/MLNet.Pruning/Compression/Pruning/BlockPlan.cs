using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Removes residual blocks and layers, the least important first.</summary>
internal sealed class BlockPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores) : RemovalPlan(options, start, scores)
{
    private readonly List<string> _bypassed = [];
    private HashSet<string>? _inScope;

    protected override int Total => InScope.Count;

    /// <summary>Names of the dense network's blocks that may go. The scope is asked once, for it names blocks that are gone later.</summary>
    private HashSet<string> InScope => _inScope ??= Choose();

    /// <exception cref="NotSupportedException">Always: blocks are whole layers.</exception>
    public override IEnumerable<(string Layer, PruningPlan Plan)> ByLayer() => throw new NotSupportedException("Blocks are not pruned layer by layer.");

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
        => base.Complete(report, network) with { Bypassed = [.. _bypassed.Where(name =>
            network.Network.Nodes.All(node => node.Name != name || node.Operator == "Identity"))] };

    protected override int Candidates(Network network) => Blocks(network).Count;

    protected override IEnumerable<double[]> Scores() => [[.. Blocks(Start.Network).Select(block => Score(Start.Network, block, First))]];

    protected override PrunedNetwork Remove(PrunedNetwork good, double share, int most, ImportanceScores scores)
    {
        // A block may hold others, so that they are found anew after each.
        while (most-- > 0 && Blocks(good.Network) is { Count: > 0 } blocks && !IsReached(good.Network, share))
        {
            var network = good.Network;
            double[] worth = [.. blocks.Select(block => Score(network, block, scores))];
            var least = blocks[Array.IndexOf(worth, worth.Min())];
            var smaller = BlockRemoval.Remove(network, [least]);
            good = good.Changed(good.Masks.RemoveRange(least.Parameters), smaller, other => BlockRemoval.Remove(other, [least]));
            _bypassed.Add(least.Name);
            Compare(blocks, worth, smaller);
        }

        if (most >= 0 && Options.Amount.Budget is not null && !IsReached(good.Network, share))
        {
            throw new PruningTargetException($"The target {Options.Amount} is not reached without any of the network's blocks: {Cost(good.Network)} of "
                + $"{DenseCost} are left.");
        }

        return good;
    }

    private void Compare(IReadOnlyList<Block> blocks, double[] scores, Network smaller)
    {
        if (Record.Pools.Count == 0)
        {
            string[] names = [.. Blocks(Start.Network).Select(block => block.Name)];
            Record.Pools.Add(new() { Tables = [new("blocks", "blocks", [names.Length], new(names.Length, names.Length, 1, 1, 1)) { Names = names }] });
        }

        var places = Record.Pools[0].Tables[0].Names!.ToList();
        var outcome = new CandidateOutcome(new float[places.Count], new bool[places.Count], new bool[places.Count]);
        for (var i = 0; i < blocks.Count; i++)
        {
            var place = places.IndexOf(blocks[i].Name);
            (outcome.Scores[place], outcome.Remained[place]) = ((float)scores[i], true);
        }

        foreach (var block in Blocks(smaller))
        {
            outcome.Remains[places.IndexOf(block.Name)] = true;
        }

        Record.Pools[0].Compare([outcome], ranked: true);
    }

    private bool IsReached(Network network, double share) => Options.Amount.Budget is null
        ? Total - Candidates(network) >= Math.Round(share * Total, MidpointRounding.ToEven)
        : Cost(network) <= (1 - share) * DenseCost;

    private IReadOnlyList<Block> Blocks(Network network)
        => [.. BlockRemoval.Find(network, Options.Granularity.IncludesLayers).Where(block => InScope.Contains(block.Name))];

    private HashSet<string> Choose()
    {
        string[] blocks = [.. BlockRemoval.Find(Start.Network, Options.Granularity.IncludesLayers).Select(block => block.Name),
            .. BlockRemoval.Dense(Start.Network).Where(block => block.Value || Options.Granularity.IncludesLayers).Select(block => block.Key)];
        if (blocks.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{Options.Granularity}': the network adds nothing to what it is computed from"
                + (Options.Granularity.IncludesLayers ? ", and no layer gives the shape it reads." : "."));
        }

        HashSet<string> chosen = [.. Options.Scope.Choose(blocks, block => (block, null))];
        return chosen.Count > 0 ? chosen
            : throw new ArgumentException($"The scope leaves none of the network's blocks to prune: {string.Join(", ", blocks.Distinct())}.");
    }

    /// <summary>The mean importance of the block's weights, so that a large block is not worth more for its size.</summary>
    internal static double Score(Network network, Block block, ImportanceScores importance)
    {
        if (importance.ScoreRemoval(() => BlockRemoval.Remove(network, [block])) is { } measured)
        {
            return measured;
        }

        var (sum, count) = (0.0, 0L);
        foreach (var parameter in block.Parameters.Select(name => network[name]).Where(parameter => parameter is { Trainable: true, Shape.Length: > 1 }))
        {
            var scores = new float[parameter.Count];
            importance.ScoreWeights(parameter, 0, scores);
            foreach (var score in scores)
            {
                sum += score;
            }

            count += scores.Length;
        }

        return count == 0 ? 0 : sum / count;
    }
}
