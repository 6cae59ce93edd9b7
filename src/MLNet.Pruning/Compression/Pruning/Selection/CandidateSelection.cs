using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Selection;

/// <summary>
/// The candidates of a pool of parameters that are set to zero: how many there are, what they are compared by, and the masks without the least important.
/// </summary>
internal abstract class CandidateSelection
{
    /// <summary>Candidates of all members, dropped ones included; of N:M, weights.</summary>
    public abstract long Total { get; }

    /// <summary>Those that are dropped.</summary>
    public abstract long Dropped { get; }

    /// <summary>What each candidate is compared by, in the order of the pool.</summary>
    public abstract IReadOnlyList<float[]> Scores();

    /// <summary>Masks after dropping so many of the remaining candidates, the least important; ties go in the order of storage.</summary>
    /// <exception cref="InvalidOperationException">An importance is not a number.</exception>
    public abstract WeightMask[] Drop(long drop);

    /// <summary>Remaining candidates whose score lies below the amount's threshold; one pool member, for thresholds are a layer's own.</summary>
    public abstract long CountBelow(Amount amount);

    /// <summary>What single weights are compared by.</summary>
    protected static IReadOnlyList<float[]> ScoreWeights(IReadOnlyList<PoolMember> pool, ImportanceScores importance, CancellationToken cancellation)
        => [.. pool.Select(member =>
    {
        cancellation.ThrowIfCancellationRequested();
        var scores = new float[member.Parameter.Count];
        importance.ScoreWeights(member.Parameter, 0, scores);
        return scores;
    })];
}
