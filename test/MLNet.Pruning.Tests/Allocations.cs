namespace MLNet.Pruning.Tests;

/// <summary>What code allocates on the heap.</summary>
internal static class Allocations
{
    /// <summary>
    /// Bytes that this thread allocates in the least of some tries. What the code allocates it allocates in each; a garbage collection that another test asks
    /// for ends the thread's current block of 8 KB and counts the rest of it as allocated.
    /// </summary>
    public static long Of(Action code)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            code();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
