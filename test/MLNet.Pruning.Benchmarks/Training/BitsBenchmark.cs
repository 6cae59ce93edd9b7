using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>What it costs that the same seed gives the same bits: training with the mode of MKL that the library sets, against MKL as it comes.</summary>
internal static class BitsBenchmark
{
    private const double SecondsOfRound = 1;

    public static void Run(Report report)
    {
        report.Section("Same seed, same bits: steps a second at a batch of 64, one thread", "MKL_CBWR=OFF", "times as fast",
            """
            The library sets MKL_CBWR=AUTO, with which MKL's results do not depend on where operands lie in memory. Both sides are this library, each in a
            process of its own.
            """);
        using var ours = Start("AUTO");
        using var theirs = Start("OFF");
        foreach (var training in TrainingCase.All)
        {
            var epochs = training.Epochs(SecondsOfRound, CPU);
            double Ask(Peer peer) => peer.Ask(training.NetworkName, training.OptimizerName, epochs)[0];
            Ask(ours);
            Ask(theirs);
            var (with, without) = report.Interleave(() => Ask(ours), () => Ask(theirs));
            report.Add(new($"{training}", with, without, rate => FormattableString.Invariant($"{rate:n0}"), (our, their) => our / their));
        }
    }

    private static Peer Start(string mode) => Peer.Self(new Dictionary<string, string> { ["MKL_CBWR"] = mode }, TrainingProcess.Name);
}
