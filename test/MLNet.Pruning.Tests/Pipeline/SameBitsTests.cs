using System.Collections.Concurrent;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>
/// Same seed, same bits, in whichever process: each hashes strings in its own way, and so walks through dictionaries and sets in its own order.
/// </summary>
[TestClass]
public class SameBitsTests
{
    private const int Processes = 8;
    private const int AtOnce = 3;

    [TestMethod]
    public void Every_pipeline_gives_the_same_bits_in_eight_processes()
    {
        var runs = new ConcurrentBag<string[]>();
        Parallel.For(0, Processes, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, _ =>
        {
            var (exitCode, output, errors) = ChildProcess.Run(ChildProcess.Built("test/MLNet.Pruning.SameBits"));
            Assert.AreEqual(0, exitCode, errors);
            runs.Add(output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        });

        var all = runs.ToArray();
        Assert.IsGreaterThanOrEqualTo(28, all[0].Length);
        string[] different = [.. Enumerable.Range(0, all[0].Length).Where(line => all.Any(run => run[line] != all[0][line]))
            .Select(line => all[0][line].Split(": ")[0])];
        Assert.IsEmpty(different, $"Different from process to process: {string.Join(", ", different)}");
    }
}
