using System.Text.RegularExpressions;

namespace MLNet.Pruning.Benchmarks;

/// <summary>The machine as Linux describes it.</summary>
internal static partial class Machine
{
    /// <summary>Such as "2 cores, AMD EPYC".</summary>
    public static string Kind => $"{Environment.ProcessorCount} cores, "
        + (File.Exists("/proc/cpuinfo") && ModelName().Match(File.ReadAllText("/proc/cpuinfo")) is { Success: true } model ? model.Groups[1].Value : "unknown processor");

    [GeneratedRegex(@"^model name\s*:\s*(.+)$", RegexOptions.Multiline)]
    private static partial Regex ModelName();
}
