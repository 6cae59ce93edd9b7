using MLNet.Pruning.Structure;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Importance scores of the groups of a family: the slices that make them and those that read them, summed up.</summary>
internal static class GroupScores
{
    /// <summary>One score a group, in the order of the family.</summary>
    /// <param name="structure">The groups.</param>
    /// <param name="network">The network whose weights count.</param>
    /// <param name="families">The families to score.</param>
    /// <param name="importance">How important a slice is.</param>
    /// <param name="group">How slices are summed up.</param>
    /// <param name="normalize">Whether to divide by the mean of the family.</param>
    /// <param name="cancellation">Ends the scoring.</param>
    /// <exception cref="InvalidOperationException">An importance is NaN, or says nothing of a group.</exception>
    public static double[][] Of(NetworkStructure structure, Network network, IReadOnlyList<GroupFamily> families, ImportanceScores importance,
        GroupImportance group,
        bool normalize, CancellationToken cancellation = default)
    {
        var axes = structure.Coupling.Axes;
        int[][] counted = [.. families.Select(family => family.Groups.SelectMany(one => one.Entries).Select(entry => entry.Axis).Distinct()
            .Where(axis => importance.Counts(axes[axis]) && (group != GroupImportance.Root || axes[axis] == family.Axis)).ToArray())];
        var slices = new Lazy<double[]?[]>(() => Slices(axes, network, [.. counted.SelectMany(own => own).Distinct()], importance, cancellation));
        return [.. families.Select((family, f) =>
        {
            var scores = importance.ScoreFamily(structure, family) ?? family.Groups.Select(one =>
            {
                cancellation.ThrowIfCancellationRequested();
                return importance.ScoreGroup(one, () => new StructureRemoval(structure, [one]).Mask(network))
                    ?? (Members(one, counted[f], slices.Value) is { Count: > 0 } members ? Sum(members, group) : throw new InvalidOperationException(
                        $"{importance} does not say what {one.Kind} {one.Number} of layer '{one.Layer}' is worth: "
                        + $"it scores none of {string.Join(", ", one.Members)}. Leave the layer out by Scope.Except, or use another importance."));
            }).ToArray();
            if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var nan)
            {
                throw new InvalidOperationException($"The importance of {family.Groups[nan].Kind} {family.Groups[nan].Number} of layer "
                    + $"'{family.Groups[nan].Layer}' is NaN.");
            }

            var mean = normalize ? scores.Average() : 1;
            return mean > 0 && double.IsFinite(mean) ? [.. scores.Select(score => score / mean)] : scores;
        })];
    }

    /// <summary>Importance scores of the slices of some dimensions, by the number of the dimension.</summary>
    private static double[]?[] Slices(IReadOnlyList<ParameterAxis> axes, Network network, int[] counted, ImportanceScores importance,
        CancellationToken cancellation)
    {
        var slices = new double[]?[axes.Count];
        PartLoop.Run(counted.Length, part =>
        {
            var axis = axes[counted[part]];
            var scores = slices[counted[part]] = new double[axis.Classes.Length];
            importance.ScoreSlices(network[axis.Parameter], axis.Dimension, scores);
            if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var index)
            {
                throw new InvalidOperationException($"The importance of slice {index} of dimension {axis.Dimension} of parameter '{axis.Parameter}' is NaN.");
            }
        }, cancellation);
        return slices;
    }

    /// <summary>What a group's slices of each dimension that counts are worth together.</summary>
    private static List<double> Members(PruningGroup group, int[] counted, double[]?[] slices)
    {
        var (members, last) = (new List<double>(), -1);
        // Entries are in the order of the dimensions.
        foreach (var (axis, index) in group.Entries)
        {
            if (axis == last)
            {
                members[^1] += slices[axis]![index];
            }
            else if (counted.Contains(axis))
            {
                members.Add(slices[axis]![index]);
                last = axis;
            }
        }

        return members;
    }

    private static double Sum(IEnumerable<double> members, GroupImportance group) => group switch
    {
        GroupImportance.Sum or GroupImportance.Root => members.Sum(),
        GroupImportance.Max => members.Max(),
        _ => members.Average(),
    };
}
