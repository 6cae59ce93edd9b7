namespace MLNet.Pruning.Samples.OneShot;

/// <summary>The most memory that the process takes until this is disposed of, above what it had before: looked at every few milliseconds.</summary>
internal sealed class Peak : IDisposable
{
    private const int Milliseconds = 20;

    private readonly long _before;
    private readonly Timer _timer;
    private long _most;

    /// <param name="before">What the process took before anything was pruned.</param>
    public Peak(long before)
    {
        (_before, _most) = (before, Now());
        _timer = new(_ => _most = Math.Max(_most, Environment.WorkingSet), null, Milliseconds, Milliseconds);
    }

    public long Bytes => _most - _before;

    /// <summary>What the process takes, without what nobody uses any more.</summary>
    public static long Now()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Environment.WorkingSet;
    }

    public void Dispose() => _timer.Dispose();
}
