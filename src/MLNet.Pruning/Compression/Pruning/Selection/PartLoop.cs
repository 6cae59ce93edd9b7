using System.Runtime.ExceptionServices;

namespace MLNet.Pruning.Compression.Pruning.Selection;

/// <summary>Runs the parts of a computation in parallel.</summary>
internal static class PartLoop
{
    /// <summary>Where several parts fail, the failure of the first is thrown, whatever the threads did.</summary>
    public static void Run(int parts, Action<int> action)
    {
        var failures = new ExceptionDispatchInfo?[parts];
        Parallel.For(0, parts, (part, loop) =>
        {
            try
            {
                action(part);
            }
            catch (Exception e)
            {
                failures[part] = ExceptionDispatchInfo.Capture(e);
                loop.Break();
            }
        });
        Array.Find(failures, failure => failure is not null)?.Throw();
    }
}
