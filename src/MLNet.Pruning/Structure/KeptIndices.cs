using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Structure;

/// <summary>Which indices of a network's parameters are still there in a network that was made from it by removal.</summary>
/// <param name="before">The network.</param>
/// <param name="after">What is left of it.</param>
internal sealed class KeptIndices(Network before, Network after)
{
    private readonly IReadOnlyDictionary<string, KeptMetadata.Removal> _before = KeptMetadata.Read(before.Graph.Metadata);
    private readonly IReadOnlyDictionary<string, KeptMetadata.Removal> _after = KeptMetadata.Read(after.Graph.Metadata);

    /// <summary>The indices in the numbering of the network before, in order; null where all stayed.</summary>
    public int[]? Of(string parameter, int dimension)
    {
        if (Parse(_after, parameter, dimension) is not { } kept || kept.Length == before[parameter].Shape[dimension])
        {
            return null;
        }

        if (Parse(_before, parameter, dimension) is { } earlier)
        {
            var places = earlier.Select((index, place) => (index, place)).ToDictionary();
            kept = Array.ConvertAll(kept, index => places[index]);
        }

        return kept;
    }

    /// <summary>The same, all indices named.</summary>
    public int[] All(string parameter, int dimension) => Of(parameter, dimension) ?? [.. Enumerable.Range(0, before[parameter].Shape[dimension])];

    private static int[]? Parse(IReadOnlyDictionary<string, KeptMetadata.Removal> removals, string parameter, int dimension)
        => removals.TryGetValue(parameter, out var removal) && removal.Kept.TryGetValue(dimension, out var text) ? IndexRanges.Parse(text) : null;
}
