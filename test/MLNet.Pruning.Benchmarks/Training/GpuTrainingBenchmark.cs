using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Training steps a second on a GPU, against a plain PyTorch loop on it.</summary>
internal static class GpuTrainingBenchmark
{
    private const double SecondsOfRound = 1;

    public static void Run(Report report, PeerScripts? peers)
    {
        TorchRuntime.Require();
        if (!cuda.is_available())
        {
            throw new InvalidOperationException("There is no CUDA device to train on.");
        }

        report.Section("Training on a GPU, steps a second at a batch of 64", "PyTorch", "times as fast",
            $"""
            The library's own training loop on libtorch {__version__}, from rows in the machine's memory, against a plain PyTorch loop whose rows lie in the
            GPU's memory{(peers is null ? "" : $", on {peers.Describe()}")}. PyTorch gets the fastest, tried before each line, of an optimizer that takes
            a tensor at a time, for-each and fused, and convolutions channels last where that is faster.
            """);
        using var best = peers is null ? null : TrainingPeers.OnGpu(peers);
        foreach (var training in TrainingCase.OnGpu)
        {
            var epochs = training.Epochs(SecondsOfRound, CUDA);
            var setting = best?.Fastest(training, epochs);
            var channelsLast = setting is not null && training.Convolutional
                && setting.StepsPerSecond(training, epochs, channelsLast: true) > setting.StepsPerSecond(training, epochs);
            var (ours, theirs) = report.Interleave(() => training.StepsPerSecond(epochs, CUDA),
                setting is null ? null : () => setting.StepsPerSecond(training, epochs, channelsLast));
            report.Add(new($"{training}{(setting is null ? "" : $" (PyTorch: {setting}{(channelsLast ? ", channels last" : "")})")}", ours, theirs,
                TrainingBenchmark.Rate, (our, their) => our / their, 1));
        }
    }
}
