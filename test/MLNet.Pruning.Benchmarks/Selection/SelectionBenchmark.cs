namespace MLNet.Pruning.Benchmarks;

/// <summary>Global magnitude selection of 95% of the weights, against torch.nn.utils.prune.global_unstructured.</summary>
internal static class SelectionBenchmark
{
    private const long LargestWithAllRounds = 10_000_000;
    private const int RoundsOfLargest = 3;

    public static void Run(Report report, PeerScripts? peers)
    {
        report.Section("Selecting 95% of all weights by magnitude", "PyTorch", "times faster, or memory in weights' memory",
            $"""
            `network.Prune(Amount.Fraction(0.95))` over four dense layers, against `torch.nn.utils.prune.global_unstructured`. Every round is a process of
            its own on either side, warmed up; memory is the peak of resident memory above the start of the call with the weights loaded, and
            counts the weights themselves once. PyTorch takes half a minute at 100 million weights: {RoundsOfLargest} rounds there. Permanent: the masks applied
            to a copy of the weights (`.Network`, `prune.remove`).
            """);
        foreach (var weights in new[] { 1_000_000L, LargestWithAllRounds, 100_000_000L })
        {
            var repeats = weights > LargestWithAllRounds ? 1 : 5;
            var rounds = peers is not null && weights > LargestWithAllRounds ? RoundsOfLargest : report.Rounds;
            var (ours, theirs) = (new List<double[]>(), new List<double[]>());
            for (var round = 0; round < rounds; round++)
            {
                ours.Add(Ours(weights, repeats));
                if (peers is not null)
                {
                    using var peer = peers.Start("bench_selection.py", arguments: [$"{weights}", $"{repeats}"]);
                    theirs.Add(peer.Answer());
                }
            }

            Add(report, weights, ours, theirs);
        }
    }

    private static void Add(Report report, long weights, List<double[]> ours, List<double[]> theirs)
    {
        double[] Column(List<double[]> rounds, int column) => [.. rounds.Select(round => round[column])];
        var bytes = 4.0 * weights;
        double[] Total(List<double[]> rounds, int column) => [.. rounds.Select(round => (bytes + round[column]) / bytes)];
        var size = $"{weights / 1_000_000} million";
        var largest = weights > LargestWithAllRounds;
        report.Add(new($"{size}: time", Column(ours, 0), Column(theirs, 0), Milliseconds, (our, their) => their / our, largest ? 50 : null));
        report.Add(new($"{size}: time, permanent", Column(ours, 1), Column(theirs, 1), Milliseconds, (our, their) => their / our));
        var total = Total(ours, 2);
        report.Add(new($"{size}: peak memory, weights included", total, Total(theirs, 2), Times, (our, _) => our, largest ? 1.3 : null, AimIsLargest: true));
        report.Add(new($"{size}: peak memory, permanent", Total(ours, 3), Total(theirs, 3), Times, (our, _) => our));
    }

    private static double[] Ours(long weights, int repeats)
    {
        using var self = Peer.Self(null, SelectionRound.Name, $"{weights}", $"{repeats}");
        return self.Answer();
    }

    private static string Milliseconds(double seconds) => FormattableString.Invariant($"{1000 * seconds:n1} ms");

    private static string Times(double factor) => FormattableString.Invariant($"{factor:0.00}x");
}
