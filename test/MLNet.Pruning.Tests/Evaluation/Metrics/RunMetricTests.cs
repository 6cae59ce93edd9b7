using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>What networks cost and take: counts by hand, times that go together, and what is said of each.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class RunMetricTests
{
    private static readonly Network s_network = Network.Mlp(20, 30, 4).Initialize(1);

    [TestMethod]
    public void Counts_are_those_by_hand_and_of_the_file()
    {
        var trial = new Trial(() => s_network.Prune(Amount.Fraction(0.25)).Network);
        Assert.AreEqual(0.25, Metric.Sparsity.On(trial).Value, 1e-9);
        Assert.AreEqual(20 * 30 + 30 * 4, Metric.MultiplyAdds.On(trial).Value);
        Assert.AreEqual(20 * 30 + 30 + 30 * 4 + 4, Metric.Parameters.On(trial).Value);
        using var stream = new MemoryStream();
        trial.Network.SaveOnnx(stream);
        Assert.AreEqual(stream.Length, Metric.FileSize.On(trial).Value);
    }

    [TestMethod]
    public void Percentiles_are_numpys()
    {
        // numpy.percentile([1, 2, 3, 4, 10], [50, 95, 99]) is 3, 8.8, 9.76.
        var times = new RunTimes([10, 2, 4, 1, 3]);
        Assert.AreEqual(4, times.Mean, 1e-12);
        Assert.AreEqual(3, times.Percentile(0.5), 1e-12);
        Assert.AreEqual(8.8, times.Percentile(0.95), 1e-12);
        Assert.AreEqual(9.76, times.Percentile(0.99), 1e-12);
    }

    [TestMethod]
    public void Times_come_of_the_same_runs_and_go_together()
    {
        var trial = new Trial(() => s_network);
        double Value(Metric metric) => metric.On(trial).Value;
        Assert.IsGreaterThan(0, Value(Metric.LatencyPercentile(50)));
        Assert.IsGreaterThanOrEqualTo(Value(Metric.LatencyPercentile(50)), Value(Metric.LatencyPercentile(95)));
        Assert.IsGreaterThanOrEqualTo(Value(Metric.LatencyPercentile(95)), Value(Metric.LatencyPercentile(99)));
        Assert.AreEqual(1000 / Value(Metric.Latency()), Value(Metric.RowsPerSecond()), 1e-6);
        Assert.AreEqual(32 * 1000 / Value(Metric.Latency(32)), Value(Metric.RowsPerSecond(32)), 1e-6);
        StringAssert.EndsWith(Metric.Latency().On(trial).Note, " runs on this machine's CPU");
        // Reading, making a session and a run take longer than a run.
        Assert.IsGreaterThan(Value(Metric.LatencyPercentile(50)), Value(Metric.ColdStart));
    }

    [TestMethod]
    public void Memory_that_work_takes_shows()
    {
        const int Bytes = 256 << 20;
        var rise = ResidentMemory.Rise(() =>
        {
            var taken = GC.AllocateUninitializedArray<byte>(Bytes);
            taken.AsSpan().Fill(1);
            GC.KeepAlive(taken);
        });
        Assert.IsGreaterThan(Bytes / 2, rise);
        Assert.IsGreaterThanOrEqualTo(0, Metric.PeakMemory().On(new(() => s_network)).Value);
    }

    [TestMethod]
    public void Carbon_is_energy_times_intensity()
    {
        var trial = new Trial(() => s_network) { PowerCounters = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()) };
        var (energy, carbon) = (Metric.Energy(60).On(trial), Metric.Carbon(200, 60).On(trial));
        // Of millijoules a row, grams a million rows: 1e6 rows of 1e-3 J over 3.6e6 J in a kilowatt-hour.
        Assert.AreEqual(energy.Value * 1e-3 * 1e6 / 3.6e6 * 200, carbon.Value, 1e-9);
        StringAssert.StartsWith(energy.Note, "estimated: 60 W");
        StringAssert.StartsWith(carbon.Note, "200 g a kWh; energy estimated: 60 W");
        StringAssert.Contains(Metric.Carbon().On(trial).Note, "475 g a kWh (world 2019, IEA)");
    }

    [TestMethod]
    [DataRow("latency")]
    [DataRow("latency(32)")]
    [DataRow("latency-p50")]
    [DataRow("latency-p99.9(8)")]
    [DataRow("rows-per-second(64)")]
    [DataRow("peak-memory(2)")]
    [DataRow("cold-start")]
    [DataRow("energy(65)")]
    [DataRow("energy(42.5, 16)")]
    [DataRow("carbon(230)")]
    [DataRow("carbon(475, 65)")]
    [DataRow("carbon(475, 42.5, 8)")]
    public void Names_with_numbers_stand_for_the_same_again(string name)
    {
        Assert.AreEqual(name, Metric.Named(name).Name);
        Assert.AreEqual(name, Metric.Named(name.ToUpperInvariant()).Name);
        Assert.AreEqual(name, Metric.Named(name.Replace(", ", ",")).Name);
    }

    [TestMethod]
    [DataRow("latency(0)")]
    [DataRow("latency(1, 2)")]
    [DataRow("latency(1.5)")]
    [DataRow("latency-p100")]
    [DataRow("latency-p")]
    [DataRow("latency-p50(8")]
    [DataRow("energy(-1)")]
    [DataRow("energy(1, 2, 3)")]
    [DataRow("carbon(1, 2, 3, 4)")]
    [DataRow("sparsity(2)")]
    [DataRow("cold-start(2)")]
    public void Others_are_refused(string name) => Assert.Throws<ArgumentException>(() => Metric.Named(name));
}
