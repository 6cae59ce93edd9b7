namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>Time spent on weights that do nothing: zeros, and those on no path from the input to the output.</summary>
internal static class IdleWeights
{
    /// <summary>Of each layer its share of the time, as far as its weights are such; without those of units that can go as a whole.</summary>
    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var before = NetworkCost.Of(network.Network, network.Options.CancellationToken);
        var rest = ReferenceEquals(network.Rest, network.Network) ? before : NetworkCost.Of(network.Rest, network.Options.CancellationToken);
        var weights = before.Layers.ToDictionary(layer => layer.Name, layer => layer.Weights);
        FindingPlace[] Places(Func<LayerCost, double> idle) => [.. rest.Layers.Where(layer => layer.Weights > 0)
            .Select(layer => new FindingPlace(layer.Name, network.Share(layer.Name) * idle(layer) / weights[layer.Name])).Where(place => place.Share > 0)];

        // The multiply-adds of a weight that is live are those of all of its positions.
        var zeros = Places(layer => layer.Weights - layer.NonZeroWeights);
        var dead = Places(layer => layer.MultiplyAdds is > 0 and var all && layer.LiveMultiplyAdds is { } live
            ? layer.NonZeroWeights - layer.Weights * ((double)live / all) : 0);
        if (zeros.Sum(place => place.Share) is var share && share >= network.Options.MinimumShare)
        {
            yield return new(FindingKind.ZerosMultiplied, zeros, share,
                "the weights are zero one by one, and ONNX Runtime's kernels multiply by zeros as by other numbers.",
                "Score in a chain by sparse kernels: model.Compact() times them. For other runtimes remove structure: "
                    + "ml.Transforms.Prune(0.5, granularity: Granularity.Unit). For the file's bytes alone, network.SaveOnnx(path, sparse: true).",
                "prune model.onnx -o small.onnx --granularity unit --sparsity 0.5");
        }

        if (dead.Sum(place => place.Share) is var lost && lost >= network.Options.MinimumShare)
        {
            yield return new(FindingKind.DeadWeights, dead, lost,
                "they are multiplied, but what they make is multiplied by zeros later on, or what they read is the same for every row.",
                "Remove the units that they belong to: ml.Transforms.Prune(0.5, granularity: Granularity.Unit), then FineTune.",
                "prune model.onnx -o small.onnx --granularity unit --sparsity 0.5");
        }
    }
}
