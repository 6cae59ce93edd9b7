namespace MLNet.Pruning.Evaluation;

/// <summary>How much more memory of the machine the process holds while it does some work.</summary>
internal static class ResidentMemory
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// The most that the resident memory rose by while the work was done, in bytes; sampled every millisecond. Memory that the process had freed before and
    /// takes up again shows nowhere, and what else the process does at the time counts too.
    /// </summary>
    public static long Rise(Action work)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Environment.WorkingSet;
        var most = before;
        using var done = new ManualResetEventSlim();
        var sampler = new Thread(() =>
        {
            do
            {
                most = Math.Max(most, Environment.WorkingSet);
            }
            while (!done.Wait(s_period));
        }) { IsBackground = true };
        sampler.Start();
        try
        {
            work();
        }
        finally
        {
            done.Set();
            sampler.Join();
        }

        return Math.Max(most, Environment.WorkingSet) - before;
    }
}
