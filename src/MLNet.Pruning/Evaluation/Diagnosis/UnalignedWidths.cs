using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>
/// Convolutions that a larger width would make faster. ONNX Runtime keeps images in blocks of channels where the widths allow it, which is faster; which do
/// depends on the processor, so that each is timed against a copy of itself at the next multiples of 16.
/// </summary>
internal static class UnalignedWidths
{
    /// <summary>Channels in a block of the widest registers; narrower ones have blocks of 8.</summary>
    private const int Block = 16;

    /// <summary>A copy that takes less by less than this share may do so by chance.</summary>
    private const double LeastGain = 0.1;

    private const int Shown = 3;

    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var places = new List<FindingPlace>();
        var (widths, ratios) = (new List<string>(), new List<double>());
        foreach (var layer in network.Profile.Kernels.Where(kernel => !kernel.IsBlocked).SelectMany(network.Multiplying).Distinct()
            .Where(layer => network.Share(layer.Node.Name) >= network.Options.MinimumShare))
        {
            if (Alone(network.Network, layer, width => width) is not { } own || Alone(network.Network, layer, Aligned) is not { } aligned)
            {
                continue;
            }

            var (batch, threads) = (network.Options.BatchSize, network.Threads);
            var ratio = TurnTimes.Of([(own, batch, threads), (aligned, batch, threads)], network.Options.CancellationToken).OfFirst(1);
            if (1 - ratio >= LeastGain)
            {
                places.Add(new(layer.Node.Name, network.Share(layer.Node.Name) * (1 - ratio)));
                ratios.Add(ratio);
                widths.Add(string.Create(CultureInfo.InvariantCulture, $"{Shape(own)} instead of {Shape(aligned)}"));
            }
        }

        var share = places.Sum(place => place.Share);
        if (places.Count > 0 && share >= network.Options.MinimumShare)
        {
            yield return new(FindingKind.UnalignedWidths, places, share, string.Create(CultureInfo.InvariantCulture,
                $"{string.Join(", ", widths.Distinct().Take(Shown))} channels keep ONNX Runtime from its blocked layout: alone and rounded up, with more to "
                    + $"compute, a convolution takes down to {ratios.Min():P0} of the time."),
                "Prune the original again with widths that are multiples of 16, the default of SelectionOptions.Alignment: no Alignment = 1.",
                "prune original.onnx -o small.onnx --granularity filter --alignment 16");
        }
    }

    private static int Aligned(int width) => (width + Block - 1) / Block * Block;

    /// <summary>"30 x 64": what a convolution reads and makes.</summary>
    private static string Shape(Network network)
        => string.Create(CultureInfo.InvariantCulture, $"{network.Input.Shape[1]} x {network.Output.Shape[1]}");

    /// <summary>A convolution by itself at other widths; null for what is none, or has channels in groups.</summary>
    private static Network? Alone(Network network, LayerInfo layer, Func<int, int> width)
    {
        if (layer.Node is not { Operator: "Conv", Domain: "" } node || node.Int("group", 1) != 1 || layer.Weights is not [var name]
            || node.Inputs[1] != name || network.Find(node.Inputs[0]) is not { IsKnown: true, Shape: [_, var channels, .. var image] })
        {
            return null;
        }

        // Images of a few channels, such as colours, are read as they are.
        var weight = network[name];
        ImmutableArray<int> shape = [width(weight.Shape[0]), channels < Block ? channels : width(channels), .. weight.Shape.Skip(2)];
        var values = new float[shape.Aggregate(1, (product, size) => product * size)];
        // Not zeros: they might be multiplied faster.
        Array.Fill(values, 0.01f);
        return new Network(new TensorInfo("x", [TensorInfo.Batch, shape[1], .. image]), "y",
            [new Node("conv", "Conv", ["x", "w"], ["y"], node.Attributes)], [new Parameter("w", shape, values, true, Initializer.Zero)]);
    }
}
