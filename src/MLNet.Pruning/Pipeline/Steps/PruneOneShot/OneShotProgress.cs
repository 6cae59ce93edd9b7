namespace MLNet.Pruning;

/// <summary>How far <c>PruneOneShot</c> is.</summary>
public sealed record OneShotProgress
{
    internal OneShotProgress(OneShotCandidate candidate, double share, TimeSpan elapsed)
        => (Candidate, Share, Elapsed, TimeLeft) = (candidate, share, elapsed, elapsed * ((1 - share) / share));

    /// <summary>What was measured last.</summary>
    public OneShotCandidate Candidate { get; }

    /// <summary>Share of the work that is done, in (0, 1], by what the ways usually take.</summary>
    public double Share { get; }

    /// <summary>Time since the first way began.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Time that is left if the rest goes on like that.</summary>
    public TimeSpan TimeLeft { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Candidate}; {100 * Share:0} % done, about {TimeLeft.TotalSeconds:0} s left");
}
