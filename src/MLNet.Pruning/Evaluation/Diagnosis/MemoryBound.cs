using MLNet.Pruning.Scoring.Profiling;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>
/// Dense layers whose time goes with the bytes of their weights and not with the multiply-adds: in a run of 16 times as many rows, which reads the weights as
/// often, a row takes a fraction of the time.
/// </summary>
internal static class MemoryBound
{
    /// <summary>Of smaller weights, which the nearest cache holds, a kernel's start takes longer than reading them.</summary>
    private const long LeastBytes = 64 << 10;

    /// <summary>A layer that takes more than this share of its time a row in the larger run is bound by arithmetic.</summary>
    private const double MostOfTime = 0.5;

    private static readonly string[] s_dense = ["Gemm", "MatMul", "FusedGemm", "FusedMatMul"];

    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var options = network.Options;
        var dense = network.Profile.Kernels.Where(kernel => s_dense.Contains(kernel.Node.OpType))
            .Select(kernel => (Kernel: kernel, Bytes: sizeof(float) * network.Multiplying(kernel).SelectMany(layer => layer.Weights)
                .Sum(name => (long)network.Network[name].Count)))
            .Where(layer => layer.Bytes >= LeastBytes && network.Share(layer.Kernel) >= options.MinimumShare).ToArray();
        var rows = options.BatchSize * RunSettings.MoreRows;
        if (dense.Length == 0 || !RunSettings.Fits(network.Network, rows))
        {
            yield break;
        }

        var larger = OnnxProfile.Of(network.Network, rows, network.Threads, options.CancellationToken).Kernels.ToLookup(network.LayerOf);
        var places = new List<FindingPlace>();
        var (bytes, milliseconds) = (0L, 0.0);
        foreach (var (kernel, size) in dense)
        {
            var name = network.LayerOf(kernel);
            var left = larger[name].Where(other => s_dense.Contains(other.Node.OpType)).Sum(other => other.Milliseconds)
                / (kernel.Milliseconds * RunSettings.MoreRows);
            if (left is > 0 and <= MostOfTime)
            {
                places.Add(new(name, network.Share(kernel) * (1 - left)));
                (bytes, milliseconds) = (bytes + size, milliseconds + kernel.Milliseconds);
            }
        }

        if (places.Sum(place => place.Share) is var share && share >= options.MinimumShare)
        {
            var (speed, times) = (bytes / milliseconds / 1e6, options.BatchSize == 1 ? "once" : $"for {options.BatchSize:N0} rows");
            yield return new(FindingKind.MemoryBound, places, share, string.Create(CultureInfo.InvariantCulture,
                $"each weight of 4 bytes is read to be used {times}, {speed:N1} GB a second. In a run of {rows:N0} rows, which reads the weights as often, a "
                    + $"row takes a fraction of the time."),
                "Read fewer bytes: ml.Transforms.Quantize(Quantizer.DynamicInt8()) or Prune with Granularity.Neuron; or score more rows at a time.",
                "quantize model.onnx -o int8.onnx --to dynamic-int8");
        }
    }
}
