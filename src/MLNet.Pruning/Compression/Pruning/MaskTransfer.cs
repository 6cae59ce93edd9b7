namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Whether masks of one network are masks of another.</summary>
internal static class MaskTransfer
{
    /// <exception cref="ArgumentException">The network has no such parameter, or one of another shape.</exception>
    public static void Check(Network network, string parameter, IReadOnlyList<int> shape, string origin)
    {
        if (!network.TryGetParameter(parameter, out var target))
        {
            throw new ArgumentException($"The masks of {origin} hold parameter '{parameter}' ({TensorInfo.Dimensions([.. shape])}), which the network does "
                + "not have."
                + NearestNames.Suggest(parameter, network.Parameters.Select(own => own.Name)));
        }

        if (!target.Shape.AsSpan().SequenceEqual([.. shape]))
        {
            throw new ArgumentException($"The masks of {origin} are for parameter '{parameter}' of {TensorInfo.Dimensions([.. shape])}, but the network's is "
                + $"{target}.");
        }
    }
}
