namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>Looks for all that can stand in the way of a network that is smaller or faster.</summary>
internal static class NetworkDiagnosis
{
    private static readonly (FindingKind[] Kinds, Func<DiagnosedNetwork, IEnumerable<DiagnosisFinding>> Find)[] s_checks =
    [
        ([FindingKind.ZerosMultiplied, FindingKind.DeadWeights], IdleWeights.Find),
        ([FindingKind.RemovableUnits], RemovableUnits.Find),
        ([FindingKind.UnalignedWidths], UnalignedWidths.Find),
        ([FindingKind.MemoryBound], MemoryBound.Find),
        ([FindingKind.UnfusedOperators, FindingKind.UnfusedIntegers], UnfusedOperators.Find),
        ([FindingKind.BatchSize, FindingKind.Threads], network => RunSettings.Of(network).Find()),
        ([FindingKind.BetweenNodes], BetweenNodes.Find),
        ([FindingKind.ZerosStored, FindingKind.FewValues], StoredBytes.Find),
    ];

    /// <param name="network">The network, with values.</param>
    /// <param name="options">How it is run, and what is looked for.</param>
    /// <param name="more">What was found around the network.</param>
    /// <exception cref="ArgumentException">Its inputs have open sizes.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    public static DiagnosisReport Of(Network network, DiagnosisOptions options, IEnumerable<DiagnosisFinding> more)
    {
        if (network.Inputs.FirstOrDefault(input => input is not { IsKnown: true, Shape: [TensorInfo.Batch, ..] }
            || input.Shape.Skip(1).Any(size => size <= 0)) is { } open)
        {
            throw new ArgumentException($"The network reads '{open}'; to be run it has to read a batch of rows of a fixed size. Sizes that its file leaves "
                + "open are given to Network.FromOnnx(path, sizes), or to the tool with --size.", nameof(network));
        }

        var diagnosed = new DiagnosedNetwork(network, options);
        return new(diagnosed, [.. s_checks.Where(check => check.Kinds.Any(options.Asks)).SelectMany(check => check.Find(diagnosed))
            .Where(finding => options.Asks(finding.Kind)).Concat(more)]);
    }
}
