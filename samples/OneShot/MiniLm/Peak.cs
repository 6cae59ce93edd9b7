namespace MLNet.Pruning.Samples.OneShot;

/// <summary>The most memory that the process takes until this is disposed of, above what it had: looked at every few milliseconds.</summary>
internal sealed class Peak : IDisposable
{
    private const int Milliseconds = 20;

    private readonly long _before;
    private readonly Timer _timer;
    private long _most;

    public Peak()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _before = _most = Environment.WorkingSet;
        _timer = new(_ => _most = Math.Max(_most, Environment.WorkingSet), null, Milliseconds, Milliseconds);
    }

    public long Bytes => _most - _before;

    public void Dispose() => _timer.Dispose();
}
