using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Training steps a second on the CPU, against a plain PyTorch loop.</summary>
internal static class TrainingBenchmark
{
    private const double SecondsOfRound = 1;

    public static void Run(Report report, PeerScripts? peers)
    {
        report.Section("Training, steps a second at a batch of 64", "PyTorch", "times faster",
            $"""
            The library's own training loop on libtorch {__version__}{(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? " with MKL"
                : "")}, rows gathered
            from memory, against a plain PyTorch loop that slices a shuffled index from tensors in memory{(peers is null ? ""
                : $", on {peers.Describe()}")}. PyTorch
            gets the fastest, tried before each line, of: optimizer for-each or single-tensor, OMP_WAIT_POLICY passive or unset (named in the line). The library
            lays kernels of convolutions channels last by itself; in PyTorch that takes a `memory_format` by hand, which the lines "channels last" show. It
            trains on no more threads than its work keeps busy, which for these networks is one.
            """);
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            using var best = peers is null ? null : TrainingPeers.OnCpu(peers, threads);
            foreach (var training in TrainingCase.All)
            {
                var epochs = training.Epochs(SecondsOfRound, CPU);
                var setting = best?.Fastest(training, epochs);
                var (ours, theirs) = report.Interleave(() => training.StepsPerSecond(epochs, CPU),
                    setting is null ? null : () => setting.StepsPerSecond(training, epochs));
                var line = $"{training}, {threads} thread{(threads > 1 ? "s" : "")}";
                report.Add(new($"{line}{(setting is null ? "" : $" (PyTorch: {setting})")}", ours, theirs, Rate, (our, their) => our / their, 1));
                if (setting is not null && training.Convolutional)
                {
                    (ours, theirs) = report.Interleave(() => training.StepsPerSecond(epochs, CPU),
                        () => setting.StepsPerSecond(training, epochs, channelsLast: true));
                    report.Add(new($"{line} (PyTorch: channels last, {setting})", ours, theirs, Rate, (our, their) => our / their));
                }
            }
        }
    }

    public static string Rate(double perSecond) => FormattableString.Invariant($"{perSecond:n0}");
}
