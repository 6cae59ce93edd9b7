using System.Globalization;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning.Tests.Evaluation;

/// <summary>Counters of energy in a folder as Linux lays it out, and what is said where there are none.</summary>
[TestClass]
public sealed class PowerCountersTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("powercap");

    public void Dispose() => _folder.Delete(recursive: true);

    [TestMethod]
    public void Packages_and_memory_are_added_and_parts_of_a_package_are_not()
    {
        Zone("intel-rapl:0", "package-0", 1_000_000);
        Zone("intel-rapl:0:0", "core", 500_000);
        Zone("intel-rapl:0:1", "dram", 2_000_000);
        Zone("intel-rapl:1", "package-1", 10);
        Zone("intel-rapl:2", "psys", 77);
        Zone("intel-rapl-mmio:0", "package-0", 1_000_000);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "intel-rapl"));
        var counters = PowerCounters.Open(_folder.FullName, out var refusal)!;
        Assert.IsNull(refusal);
        var before = counters.Read();
        Zone("intel-rapl:0", "package-0", 4_000_000);
        Zone("intel-rapl:0:0", "core", 2_500_000);
        Zone("intel-rapl:0:1", "dram", 2_500_000);
        Zone("intel-rapl:1", "package-1", 250_010);
        Zone("intel-rapl:2", "psys", 90_000_000);
        Assert.AreEqual(3 + 0.5 + 0.25, counters.Joules(before, counters.Read()), 1e-12);
    }

    [TestMethod]
    public void A_counter_that_began_again_goes_on_from_its_range()
    {
        Zone("intel-rapl:0", "package-0", 262_000_000_000, range: 262_143_328_850);
        var counters = PowerCounters.Open(_folder.FullName, out _)!;
        var before = counters.Read();
        Zone("intel-rapl:0", "package-0", 1_000_000, range: 262_143_328_850);
        Assert.AreEqual(143.32885 + 1, counters.Joules(before, counters.Read()), 1e-9);
    }

    [TestMethod]
    public void What_is_measured_is_shared_among_the_rows_and_named()
    {
        Zone("intel-rapl:0", "package-0", 0);
        var runs = 0L;
        var use = EnergyUse.Of(() => Zone("intel-rapl:0", "package-0", 40_000 * ++runs), rows: 8, watts: 50,
            PowerCounters.Open(_folder.FullName, out var refusal), refusal, TimeSpan.FromMilliseconds(20));
        Assert.AreEqual(0.04 / 8, use.Joules, 1e-12);
        StringAssert.StartsWith(use.Source, "measured by RAPL");
    }

    [TestMethod]
    public void Without_counters_the_estimate_says_its_constants_and_why()
    {
        var (missing, runs) = (Path.Combine(_folder.FullName, "none"), 0);
        var use = EnergyUse.Of(() =>
        {
            runs++;
            Thread.Sleep(10);
        }, rows: 2, watts: 50, PowerCounters.Open(missing, out var refusal), refusal, TimeSpan.FromMilliseconds(30));
        // At least 50 W for 10 ms a run of two rows.
        Assert.IsGreaterThanOrEqualTo(50 * 0.0095 / 2, use.Joules);
        StringAssert.StartsWith(use.Source, "estimated: 50 W for the time it takes; there is no ");
        StringAssert.Contains(EnergyUse.Of(() => { }, 1, EnergyUse.DefaultWatts, null, "", TimeSpan.Zero).Source, "half of 85 W");
        Zone("intel-rapl:0", "package-0", 0);
        File.WriteAllText(Path.Combine(_folder.FullName, "intel-rapl:0", "energy_uj"), "locked");
        Assert.IsNull(PowerCounters.Open(_folder.FullName, out refusal));
        StringAssert.Contains(refusal, "cannot be read");
    }

    private void Zone(string zone, string name, long energy, long range = 1_000_000_000_000)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, zone)).FullName;
        File.WriteAllText(Path.Combine(folder, "name"), name + "\n");
        File.WriteAllText(Path.Combine(folder, "energy_uj"), energy.ToString(CultureInfo.InvariantCulture) + "\n");
        File.WriteAllText(Path.Combine(folder, "max_energy_range_uj"), range.ToString(CultureInfo.InvariantCulture) + "\n");
    }
}
