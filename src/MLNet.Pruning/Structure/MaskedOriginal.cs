using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Structure;

/// <summary>
/// The original of a network that lost structure with zeros at all that went, rebuilt from <see cref="KeptMetadata"/>: it has to compute
/// what the smaller one computes.
/// </summary>
/// <param name="Network">The original's graph and values, zeros where indices did not stay.</param>
/// <param name="Changed">Parameters of which the smaller network holds other values than the original: it was trained or pruned further.</param>
internal sealed record MaskedOriginal(Network Network, ImmutableArray<string> Changed)
{
    /// <param name="small">The smaller network.</param>
    /// <param name="original">The one it was made from.</param>
    /// <exception cref="ArgumentException">The smaller one lost no structure, or is not of this original.</exception>
    public static MaskedOriginal Of(Network small, Network original)
    {
        var removals = KeptMetadata.Read(small.Graph.Metadata);
        if (removals.Count == 0)
        {
            throw new ArgumentException($"The smaller network has no metadata '{KeptMetadata.Key}': nothing was removed from it, so there is nothing to mask "
                + "in the original.");
        }

        original = WasFolded(small, original) ? original.FoldBatchNorm() : original;
        var masked = new List<Parameter>();
        var changed = ImmutableArray.CreateBuilder<string>();
        foreach (var (name, removal) in removals)
        {
            var (parameter, same) = Mask(name, removal, small, original);
            if (!same)
            {
                changed.Add(name);
            }

            masked.Add(parameter);
        }

        changed.AddRange(original.Parameters.Where(parameter => !removals.ContainsKey(parameter.Name)
            && small.TryGetParameter(parameter.Name, out var other) && !other.Values.SequenceEqual(parameter.Values)).Select(parameter => parameter.Name));
        return new(original.WithParameters(masked), changed.ToImmutable());
    }

    /// <summary>Whether the smaller one has no more batch normalisations than the original has after folding them into its layers.</summary>
    private static bool WasFolded(Network small, Network original)
    {
        var folded = BatchNorms(original.FoldBatchNorm());
        return folded < BatchNorms(original) && BatchNorms(small) <= folded;
    }

    private static int BatchNorms(Network network) => network.Nodes.Count(node => node.Operator == "BatchNormalization");

    private static (Parameter Masked, bool Same) Mask(string name, KeptMetadata.Removal removal, Network small, Network original)
    {
        if (removal is not { Shape: not null, Kept: not null })
        {
            throw new OnnxFormatException($"The metadata '{KeptMetadata.Key}' does not say what stayed of '{name}'.");
        }

        if (!original.TryGetParameter(name, out var parameter) || !parameter.Shape.SequenceEqual(removal.Shape))
        {
            throw new ArgumentException($"The smaller network was made from one whose parameter '{name}' is {TensorInfo.Dimensions(removal.Shape)}; "
                + $"the original given has {(parameter is null ? "none of that name" : TensorInfo.Dimensions(parameter.Shape))}.");
        }

        var stays = Stays(name, removal);
        var left = small.TryGetParameter(name, out var other) ? other.Values : [];
        var count = stays.Aggregate(1L, (product, dimension) => product * dimension.Count(stay => stay));
        if (left.Length != count && !left.IsEmpty)
        {
            throw new ArgumentException($"The metadata of the smaller network says that {count} values of its parameter '{name}' stayed; it has "
                + $"{left.Length}.");
        }

        // What stays keeps its order, so one pass over the original meets the smaller one's values in turn.
        var values = parameter.Values.ToArray();
        var (same, next) = (true, 0);
        var place = new int[stays.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (!Holds(stays, place))
            {
                values[i] = removal.Masked ? 0 : values[i];
            }
            else if (!left.IsEmpty)
            {
                same &= values[i].Equals(left[next++]);
            }

            Advance(place, parameter.Shape);
        }

        return (parameter.WithValues(values), same);
    }

    /// <summary>By dimension, whether each index stays.</summary>
    private static bool[][] Stays(string name, KeptMetadata.Removal removal)
    {
        var stays = removal.Shape.Select(size => Enumerable.Repeat(true, size).ToArray()).ToArray();
        foreach (var (dimension, text) in removal.Kept)
        {
            try
            {
                Array.Clear(stays[dimension]);
                foreach (var index in IndexRanges.Parse(text ?? ""))
                {
                    stays[dimension][index] = true;
                }
            }
            catch (Exception e) when (e is FormatException or OverflowException or IndexOutOfRangeException)
            {
                throw new OnnxFormatException($"The metadata '{KeptMetadata.Key}' says that indices '{text}' of dimension {dimension} of '{name}' "
                    + $"({TensorInfo.Dimensions(removal.Shape)}) stayed.", e);
            }
        }

        return stays;
    }

    private static bool Holds(bool[][] stays, int[] place)
    {
        for (var d = 0; d < place.Length; d++)
        {
            if (!stays[d][place[d]])
            {
                return false;
            }
        }

        return true;
    }

    private static void Advance(int[] place, ImmutableArray<int> shape)
    {
        for (var d = place.Length - 1; d >= 0 && ++place[d] == shape[d]; d--)
        {
            place[d] = 0;
        }
    }
}
