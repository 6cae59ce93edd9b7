using System.Text.RegularExpressions;

namespace MLNet.Pruning.Evaluation;

/// <summary>
/// The energy counters of processors and memory that Linux shows as powercap zones (RAPL of Intel and AMD): <c>intel-rapl:0/energy_uj</c> of every package,
/// and of the zones within it those of memory, which the package does not count.
/// </summary>
internal sealed partial class PowerCounters : IEnergyCounters
{
    /// <summary>Where Linux shows them.</summary>
    public const string SystemFolder = "/sys/class/powercap";

    private const string Memory = "dram";
    private const string Platform = "psys";

    private readonly (string File, long Range)[] _zones;

    private PowerCounters((string File, long Range)[] zones) => _zones = zones;

    public string Source => "measured by RAPL: processors and memory, with all else that ran meanwhile";

    /// <summary>The counters of a machine; null where there are none, or this process may not read them.</summary>
    /// <param name="folder">Where its zones are.</param>
    /// <param name="refusal">Why there are none; null else.</param>
    public static PowerCounters? Open(string folder, out string? refusal)
    {
        refusal = null;
        if (!Directory.Exists(folder))
        {
            refusal = $"there is no {folder}";
            return null;
        }

        try
        {
            // A zone of the whole platform holds the packages again.
            var zones = Directory.GetDirectories(folder).Where(zone => ZoneName().Match(Path.GetFileName(zone)) is { Success: true } name
                && Text(zone, "name") is var label && (name.Groups["part"].Success ? label == Memory : label != Platform)).Order(StringComparer.Ordinal)
                .Select(zone => (File: Path.Combine(zone, "energy_uj"), Range: long.Parse(Text(zone, "max_energy_range_uj"), CultureInfo.InvariantCulture)))
                .ToArray();
            var counters = new PowerCounters(zones);
            counters.Read();
            refusal = zones.Length > 0 ? null : $"{folder} has no zone intel-rapl:0";
            return zones.Length > 0 ? counters : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            refusal = $"the counters in {folder} cannot be read: {e.Message.TrimEnd('.')}";
            return null;
        }
    }

    /// <summary>In microjoules.</summary>
    public long[] Read() => Array.ConvertAll(_zones, zone => long.Parse(File.ReadAllText(zone.File), CultureInfo.InvariantCulture));

    /// <summary>A counter that is lower than before began again at 0 once.</summary>
    public double Joules(long[] before, long[] after)
        => _zones.Index().Sum(zone => after[zone.Index] - before[zone.Index] + (after[zone.Index] < before[zone.Index] ? zone.Item.Range : 0)) / 1e6;

    private static string Text(string zone, string file) => File.ReadAllText(Path.Combine(zone, file)).Trim();

    [GeneratedRegex(@"^intel-rapl:\d+(?<part>:\d+)?$")]
    private static partial Regex ZoneName();
}
