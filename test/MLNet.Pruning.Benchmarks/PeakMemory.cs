using System.Globalization;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Largest resident memory of this process, by Linux's own account.</summary>
internal static class PeakMemory
{
    /// <summary>Bytes that were resident at most since the process began.</summary>
    public static long Resident => Read("VmHWM");

    /// <summary>Bytes by which resident memory rose while the action ran.</summary>
    public static long Above(Action action)
    {
        // 5 makes the peak start over at what is resident now.
        File.WriteAllText("/proc/self/clear_refs", "5");
        var before = Read("VmRSS");
        action();
        return Resident - before;
    }

    private static long Read(string field)
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
