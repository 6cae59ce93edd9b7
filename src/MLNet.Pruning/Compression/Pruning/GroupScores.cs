using System.Collections.Immutable;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>What the groups of a family are worth: the slices that make them and those that read them, summed up.</summary>
internal static class GroupScores
{
    /// <summary>One score a group, in the order of the family.</summary>
    /// <param name="structure">The groups.</param>
    /// <param name="network">The network whose weights count.</param>
    /// <param name="families">The families to score.</param>
    /// <param name="importance">What a slice is worth.</param>
    /// <param name="group">How slices are summed up.</param>
    /// <param name="normalize">Whether to divide by the mean of the family.</param>
    /// <param name="cancellation">Ends the scoring.</param>
    /// <exception cref="InvalidOperationException">An importance is NaN, or says nothing of a group.</exception>
    public static double[][] Of(NetworkStructure structure, Network network, IReadOnlyList<GroupFamily> families, ImportanceScores importance, GroupImportance group,
        bool normalize, CancellationToken cancellation = default)
    {
        var axes = structure.Coupling.Axes;
        var slices = new Dictionary<int, double[]>();
        double[] Slices(int axis)
        {
            if (!slices.TryGetValue(axis, out var scores))
            {
                scores = slices[axis] = new double[axes[axis].Classes.Length];
                importance.ScoreSlices(network[axes[axis].Parameter], axes[axis].Dimension, scores);
                if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var index)
                {
                    throw new InvalidOperationException($"The importance of slice {index} of dimension {axes[axis].Dimension} of parameter '{axes[axis].Parameter}' is NaN.");
                }
            }

            return scores;
        }

        double Members(GroupFamily family, PruningGroup one)
        {
            cancellation.ThrowIfCancellationRequested();
            double[] members = [.. one.Entries.Where(entry => importance.Counts(axes[entry.Axis]) && (group != GroupImportance.Root || axes[entry.Axis] == family.Axis))
                .GroupBy(entry => entry.Axis, (axis, entries) => entries.Sum(entry => Slices(axis)[entry.Index]))];
            return members.Length > 0 ? Sum(members, group) : throw new InvalidOperationException(
                $"{importance} does not say what {one.Kind} {one.Number} of layer '{one.Layer}' is worth: it scores none of {string.Join(", ", one.Members)}. Leave the layer out by Scope.Except, or use another importance.");
        }

        return [.. families.Select(family =>
        {
            var scores = family.Groups.Select(one => importance.ScoreGroup(one, () => new StructureSurgery(structure, [one]).Mask(network)) ?? Members(family, one)).ToArray();
            if (Array.FindIndex(scores, double.IsNaN) is >= 0 and var nan)
            {
                throw new InvalidOperationException($"The importance of {family.Groups[nan].Kind} {family.Groups[nan].Number} of layer '{family.Groups[nan].Layer}' is NaN.");
            }

            var mean = normalize ? scores.Average() : 1;
            return mean > 0 && double.IsFinite(mean) ? [.. scores.Select(score => score / mean)] : scores;
        })];
    }

    private static double Sum(IEnumerable<double> members, GroupImportance group) => group switch
    {
        GroupImportance.Sum or GroupImportance.Root => members.Sum(),
        GroupImportance.Max => members.Max(),
        _ => members.Average(),
    };
}
