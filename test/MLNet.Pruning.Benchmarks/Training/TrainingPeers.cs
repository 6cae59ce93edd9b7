namespace MLNet.Pruning.Benchmarks;

/// <summary>A PyTorch process and a kind of optimizer step.</summary>
/// <param name="Peer">The process.</param>
/// <param name="Step">0 for an optimizer that takes a tensor at a time, 1 for for-each, 2 for fused.</param>
/// <param name="Waiting">How threads wait; null on a GPU.</param>
internal sealed record TrainingSetting(Peer Peer, int Step, string? Waiting)
{
    public double StepsPerSecond(TrainingCase training, int epochs, bool channelsLast = false)
        => epochs * TrainingCase.StepsPerEpoch
            / Peer.Ask(training.NetworkName, training.OptimizerName, Step, channelsLast ? 1 : 0, epochs * TrainingCase.StepsPerEpoch)[0];

    public override string ToString() => (Step switch { 0 => "single-tensor", 1 => "for-each", _ => "fused" })
        + (Waiting is null ? "" : $", {Waiting} waiting");
}

/// <summary>PyTorch processes in each setting that may be its fastest.</summary>
internal sealed class TrainingPeers : IDisposable
{
    private const string Script = "bench_training.py";
    private const int Trials = 2;
    private readonly TrainingSetting[] _settings;

    private TrainingPeers(IEnumerable<TrainingSetting> settings) => _settings = [.. settings];

    public static TrainingPeers OnCpu(PeerScripts scripts, int threads)
    {
        // With one thread nothing waits.
        var waiting = threads == 1 ? [true] : new[] { true, false };
        return new(waiting.SelectMany(passive =>
        {
            var peer = scripts.Start(Script, Variables(threads, passive));
            return new[] { 0, 1 }.Select(step => new TrainingSetting(peer, step, passive ? "passive" : "default"));
        }));
    }

    public static TrainingPeers OnGpu(PeerScripts scripts)
    {
        var peer = scripts.Start(Script, new Dictionary<string, string> { ["OMP_NUM_THREADS"] = "1", ["DEVICE"] = "cuda" });
        return new(new[] { 0, 1, 2 }.Select(step => new TrainingSetting(peer, step, null)));
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
