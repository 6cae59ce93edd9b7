using System.Text.RegularExpressions;

namespace MLNet.Pruning.Benchmarks;

/// <summary>The machine as Linux describes it.</summary>
internal static partial class Machine
{
    // Those that decide which kernels the libraries choose.
    private static readonly string[] s_sets = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd", "sve"];

    /// <summary>Such as "2 cores, AMD EPYC (avx2 fma avx512f)".</summary>
    public static string Kind
    {
        get
        {
            var description = File.Exists("/proc/cpuinfo") ? File.ReadAllText("/proc/cpuinfo") : "";
            var flags = Flags().Match(description).Groups[1].Value.Split(' ');
            var model = ModelName().Match(description) is { Success: true } name ? name.Groups[1].Value : "unknown processor";
            return $"{Environment.ProcessorCount} cores, {model} ({string.Join(' ', s_sets.Intersect(flags))})";
        }
    }

    [GeneratedRegex(@"^model name\s*:\s*(.+)$", RegexOptions.Multiline)]
    private static partial Regex ModelName();

    [GeneratedRegex(@"^(?:flags|Features)\s*:\s*(.+)$", RegexOptions.Multiline)]
    private static partial Regex Flags();
}
