using System.Runtime.ExceptionServices;

namespace MLNet.Pruning.Threading;

/// <summary>Runs the parts of a computation in parallel.</summary>
internal static class PartLoop
{
    /// <summary>
    /// The thread that asks takes parts itself and waits for nothing but parts that others have begun: <see cref="Parallel"/> also waits for threads
    /// of the pool that have not come yet, which takes half a second where the pool is busy. Where several parts fail, the failure of the first is
    /// thrown, whatever the threads did.
    /// </summary>
    /// <param name="parts">Number of parts.</param>
    /// <param name="action">Runs one, from 0.</param>
    /// <param name="cancellation">Looked at before each part.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void Run(int parts, Action<int> action, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (parts <= 0)
        {
            return;
        }

        var (next, failed) = (-1, false);
        var failures = new ExceptionDispatchInfo?[parts];
        var left = new CountdownEvent(parts);
        for (var helper = Math.Min(parts, Environment.ProcessorCount) - 1; helper > 0; helper--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => Work(), null);
        }

        Work();
        left.Wait(CancellationToken.None);
        Array.Find(failures, failure => failure is not null)?.Throw();

        void Work()
        {
            // Parts are taken in order, so that those after a failure are the ones left out.
            for (int part; (part = Interlocked.Increment(ref next)) < parts; left.Signal())
            {
                try
                {
                    if (!Volatile.Read(ref failed))
                    {
                        cancellation.ThrowIfCancellationRequested();
                        action(part);
                    }
                }
                catch (Exception e)
                {
                    failures[part] = ExceptionDispatchInfo.Capture(e);
                    Volatile.Write(ref failed, true);
                }
            }
        }
    }
}
