using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Residual blocks and layers that are removed.</summary>
internal sealed class BlockCandidates : Candidates
{
    /// <summary>Names of the dense network's blocks that may go. The scope is asked once, for it names blocks that are gone later.</summary>
    private readonly IReadOnlySet<string> _inScope;
    private readonly IReadOnlyList<string> _first;
    private readonly IReadOnlyList<Block> _left;
    private readonly Lazy<double[]> _worth;
    private readonly Lazy<(Block Block, BlockCandidates After)> _next;

    /// <summary>Names of those that went, in turn.</summary>
    private readonly List<string> _bypassed;

    /// <inheritdoc cref="Candidates.Of"/>
    public BlockCandidates(SelectionOptions options, PrunedNetwork start, ImportanceScores scores)
        : this(options, start, start, scores, Choose(options, start.Network), null, [])
    {
    }

    private BlockCandidates(SelectionOptions options, PrunedNetwork start, PrunedNetwork now, ImportanceScores scores, IReadOnlySet<string> inScope,
        IReadOnlyList<string>? first, List<string> bypassed) : base(options, start, now, scores)
    {
        (_inScope, _bypassed) = (inScope, bypassed);
        _left = Left(now.Network);
        _first = first ?? [.. _left.Select(block => block.Name)];
        _worth = new(() => [.. _left.Select(Score)]);
        // A block may hold others, so that they are found anew after each.
        _next = new(() =>
        {
            var least = _left[Array.IndexOf(_worth.Value, _worth.Value.Min())];
            var smaller = now.Changed(now.Masks.RemoveRange(least.Parameters), BlockRemoval.Remove(now.Network, [least]),
                other => BlockRemoval.Remove(other, [least]));
            return (least, (BlockCandidates)In(smaller, scores));
        });
    }

    public override IReadOnlyList<CandidatePoolSize> Pools => [new([.. _first.Select(name => (name, name))], _inScope.Count, _inScope.Count - _left.Count)];

    public override Candidates In(PrunedNetwork now, ImportanceScores measured)
        => new BlockCandidates(Options, Start, now, measured, _inScope, _first, _bypassed);

    /// <exception cref="NotSupportedException">Always: blocks are whole layers.</exception>
    public override Candidates Within(string layer) => throw new NotSupportedException("Blocks are not pruned layer by layer.");

    public override PrunedNetwork Drop(IReadOnlyList<long> drops, CandidateRecord? record = null)
    {
        var now = this;
        if (!now.HasMore(drops[0], this))
        {
            Note(record, 0, lost: false, () => [Outcome(this)]);
        }

        for (; now.HasMore(drops[0], this); now = now._next.Value.After)
        {
            var (one, (least, after)) = (now, now._next.Value);
            _bypassed.Add(least.Name);
            Note(record, 0, lost: true, () => [one.Outcome(after)]);
        }

        return now.Now;
    }

    public override long Room(int pool) => _left.Count;

    public override Network Outline(IReadOnlyList<long> drops)
    {
        var now = this;
        for (; now.HasMore(drops[0], this); now = now._next.Value.After)
        {
        }

        return now.Now.Network;
    }

    public override IReadOnlyList<(string Layer, long Lost)> Losses(IReadOnlyList<long> drops, bool isRounded = true)
        => [("", Math.Min(drops[0], _left.Count))];

    public override (double Sparsity, long Left) Describe(PrunedNetwork now)
        => (1 - (double)Left(now.Network).Count / _inScope.Count, now.Network.ParameterCount);

    public override CandidateRecord NewRecord() => new()
    {
        Pools = [new() { Tables = [new("blocks", "blocks", [_first.Count], new(_first.Count, _first.Count, 1, 1, 1)) { Names = _first }] }],
    };

    /// <exception cref="NotSupportedException">Always: blocks are whole layers.</exception>
    public override IEnumerable<string> Choices(IReadOnlyList<IEnumerable<long>> drops) => throw new NotSupportedException("Blocks have no shares of a layer.");

    public override PruningReport Complete(PruningReport report, PrunedNetwork after)
        => report with { Bypassed = [.. _bypassed.Where(name => after.Network.Nodes.All(node => node.Name != name || node.Operator == "Identity"))] };

    protected override long CountBelow(int pool, Amount amount)
    {
        var threshold = _left.Count == 0 ? 0 : amount.Threshold(_worth.Value.Average(), _worth.Value.Max());
        return _worth.Value.LongCount(score => score < threshold);
    }

    private static HashSet<string> Choose(SelectionOptions options, Network network)
    {
        var layers = options.Granularity.IncludesLayers;
        string[] blocks = [.. BlockRemoval.Find(network, layers).Select(block => block.Name),
            .. BlockRemoval.Dense(network).Where(block => block.Value || layers).Select(block => block.Key)];
        if (blocks.Length == 0)
        {
            throw new ArgumentException($"No layer can be pruned with granularity '{options.Granularity}': the network adds nothing to what it is computed from"
                + (layers ? ", and no layer gives the shape it reads." : "."));
        }

        HashSet<string> chosen = [.. options.Scope.Choose(blocks, block => (block, null))];
        return chosen.Count > 0 ? chosen
            : throw new ArgumentException($"The scope leaves none of the network's blocks to prune: {string.Join(", ", blocks.Distinct())}.");
    }

    private IReadOnlyList<Block> Left(Network now)
        => [.. BlockRemoval.Find(now, Options.Granularity.IncludesLayers).Where(block => _inScope.Contains(block.Name))];

    /// <summary>Whether more of so many are to go, counted from where that was asked.</summary>
    private bool HasMore(long drop, BlockCandidates from) => _left.Count > 0 && from._left.Count - _left.Count < drop;

    private CandidateOutcome Outcome(BlockCandidates after)
    {
        var outcome = new CandidateOutcome(new float[_first.Count], new bool[_first.Count], new bool[_first.Count]);
        for (var i = 0; i < _first.Count; i++)
        {
            var place = _left.ToList().FindIndex(block => block.Name == _first[i]);
            (outcome.Scores[i], outcome.Remained[i]) = place < 0 ? (0, false) : ((float)_worth.Value[place], true);
            outcome.Remains[i] = after._left.Any(block => block.Name == _first[i]);
        }

        return outcome;
    }

    /// <summary>The mean importance of the block's weights, so that a large block is not worth more for its size.</summary>
    private double Score(Block block)
    {
        if (Scores.ScoreRemoval(() => BlockRemoval.Remove(Now.Network, [block])) is { } measured)
        {
            return measured;
        }

        var (sum, count) = (0.0, 0L);
        foreach (var parameter in block.Parameters.Select(name => Now.Network[name]).Where(parameter => parameter is { Trainable: true, Shape.Length: > 1 }))
        {
            var scores = new float[parameter.Count];
            Scores.ScoreWeights(parameter, 0, scores);
            foreach (var score in scores)
            {
                sum += score;
            }

            count += scores.Length;
        }

        return count == 0 ? 0 : sum / count;
    }
}
