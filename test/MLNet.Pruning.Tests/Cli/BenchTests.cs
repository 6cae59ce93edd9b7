namespace MLNet.Pruning.Tests.Cli;

/// <summary>mlnet-prune bench: the figures fit together and point the right way.</summary>
[TestClass]
public class BenchTests
{
    [TestMethod]
    public void A_network_of_a_thousandth_of_the_work_is_faster()
    {
        using var files = new CliFiles();
        var (large, small) = (files.Save("a.onnx", Network.Mlp(1000, 2000, 10).Initialize(1)), files.Save("b.onnx", Network.Mlp(10, 200, 10).Initialize(1)));
        var bench = CliProcess.Json(0, "bench", large, small, "--rounds", "5", "--batch", "4");
        foreach (var spread in new[] { bench.GetProperty("ratio"), bench.GetProperty("a").GetProperty("milliseconds"),
            bench.GetProperty("b").GetProperty("milliseconds") })
        {
            var (low, middle, high) = (spread.GetProperty("p10").GetDouble(), spread.GetProperty("median").GetDouble(), spread.GetProperty("p90").GetDouble());
            Assert.IsTrue(low > 0 && low <= middle && middle <= high, spread.GetRawText());
        }

        Assert.IsGreaterThan(5, bench.GetProperty("ratio").GetProperty("median").GetDouble());
        Assert.AreEqual(4e3 / bench.GetProperty("a").GetProperty("milliseconds").GetProperty("median").GetDouble(),
            bench.GetProperty("a").GetProperty("rowsPerSecond").GetDouble(), 1e-6);
    }

    [TestMethod]
    public void A_batch_that_the_file_fixes_is_not_changed()
        => StringAssert.Contains(CliProcess.Json(1, "bench", Zoo.Network("lenet5_batch1").Path, Zoo.Network("lenet5").Path, "--batch", "2").GetProperty("error")
            .GetString(), "fixed to 1");
}
