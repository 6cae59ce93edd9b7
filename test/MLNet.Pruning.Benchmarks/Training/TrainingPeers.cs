namespace MLNet.Pruning.Benchmarks;

/// <summary>A PyTorch process and a kind of optimizer step.</summary>
internal sealed record TrainingSetting(Peer Peer, bool Passive, bool ForEach)
{
    public double StepsPerSecond(TrainingCase training, int epochs, bool channelsLast = false)
        => epochs * TrainingCase.StepsPerEpoch
            / Peer.Ask(training.NetworkName, training.OptimizerName, ForEach ? 1 : 0, channelsLast ? 1 : 0, epochs * TrainingCase.StepsPerEpoch)[0];

    public override string ToString() => $"{(ForEach ? "for-each" : "single-tensor")}, {(Passive ? "passive" : "default")} waiting";
}

/// <summary>PyTorch processes in each setting that may be its fastest.</summary>
internal sealed class TrainingPeers : IDisposable
{
    private const int Trials = 2;
    private readonly TrainingSetting[] _settings;

    public TrainingPeers(PeerScripts scripts, int threads)
    {
        // With one thread nothing waits.
        var waiting = threads == 1 ? [true] : new[] { true, false };
        _settings = [.. waiting.SelectMany(passive =>
        {
            var peer = scripts.Start("bench_training.py", Variables(threads, passive));
            return new[] { false, true }.Select(forEach => new TrainingSetting(peer, passive, forEach));
        })];
    }

    public TrainingSetting Fastest(TrainingCase training, int epochs)
    {
        var trial = Math.Max(1, epochs / 3);
        foreach (var setting in _settings)
        {
            setting.StepsPerSecond(training, 1);
        }

        return _settings.MaxBy(setting => Enumerable.Range(0, Trials).Max(_ => setting.StepsPerSecond(training, trial)))!;
    }

    public void Dispose()
    {
        foreach (var peer in _settings.Select(setting => setting.Peer).Distinct())
        {
            peer.Dispose();
        }
    }

    private static Dictionary<string, string> Variables(int threads, bool passive)
    {
        var variables = new Dictionary<string, string>
        {
            ["OMP_NUM_THREADS"] = $"{threads}",
            ["OPENBLAS_NUM_THREADS"] = $"{threads}",
            // Spares it the page faults of memory given back after every step, as the library spares itself.
            ["MALLOC_TRIM_THRESHOLD_"] = $"{256 << 20}",
            ["MALLOC_MMAP_THRESHOLD_"] = $"{32 << 20}",
        };
        if (passive)
        {
            variables["OMP_WAIT_POLICY"] = "PASSIVE";
        }

        return variables;
    }
}
