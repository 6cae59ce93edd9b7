namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>What of a run is spent between its nodes.</summary>
internal static class BetweenNodes
{
    /// <summary>A run cannot do without all of it.</summary>
    private const double Least = 0.2;

    public static IEnumerable<DiagnosisFinding> Find(DiagnosedNetwork network)
    {
        var share = 1 - network.Profile.Kernels.Sum(network.Share);
        if (share >= Math.Max(Least, network.Options.MinimumShare))
        {
            var (nodes, microseconds) = (network.Profile.Kernels.Length, network.Profile.Milliseconds * 1e3);
            yield return new(FindingKind.BetweenNodes, [], share, string.Create(CultureInfo.InvariantCulture,
                $"the {nodes:N0} nodes that ONNX Runtime runs do little each: the rest of the {microseconds:N1} us of a run goes into calling it and passing "
                    + $"from node to node. Removing weights does not shorten that."),
                "Score more rows at a time, which pays it once for all of them; or train a shallower network instead of a narrower one, such as the teacher's "
                    + "Shrink(depth: 0.5) in ml.Transforms.Distill.");
        }
    }
}
