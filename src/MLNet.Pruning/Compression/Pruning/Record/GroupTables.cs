using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>The candidates of a width, in the numbering of the network at the start.</summary>
internal static class GroupTables
{
    /// <summary>A table with the slices that each group is made of.</summary>
    public static CandidateTable Of(GroupFamily family)
    {
        var axes = family.Groups[0].Structure.Coupling.Axes;
        var slices = new Dictionary<int, CandidateSlices>();
        foreach (var group in family.Groups)
        {
            foreach (var (axis, index) in group.Entries)
            {
                if (!slices.TryGetValue(axis, out var own))
                {
                    own = slices[axis] = new(axes[axis].Parameter, axes[axis].Dimension, new int[axes[axis].Classes.Length]);
                    Array.Fill(own.Groups, -1);
                }

                own.Groups[index] = group.Number;
            }
        }

        var count = family.Groups.Length;
        return new(family.Axis.Parameter, family.Axis.Node.Name, [count], new(count, count, 1, 1, 1))
        {
            Slices = [.. slices.OrderBy(axis => axis.Key).Select(axis => axis.Value)],
        };
    }

    /// <summary>What a comparison made of them.</summary>
    /// <param name="first">The width at the start.</param>
    /// <param name="now">What is left of it; null where that is one group, which nothing is compared with.</param>
    /// <param name="scores">What each group that is left is worth.</param>
    /// <param name="kept">Indices that are left.</param>
    /// <param name="going">The groups that go.</param>
    public static CandidateOutcome Outcome(GroupFamily first, GroupFamily? now, double[] scores, KeptIndices kept, HashSet<PruningGroup> going)
    {
        var count = first.Groups.Length;
        var outcome = new CandidateOutcome(new float[count], new bool[count], new bool[count]);
        var numbers = new Dictionary<int, int>();
        foreach (var group in first.Groups)
        {
            numbers[Index(group, first)] = group.Number;
        }

        var indices = kept.All(first.Axis.Parameter, first.Axis.Dimension);
        if (now is null)
        {
            outcome.Remains[numbers[indices[0]]] = true;
            return outcome;
        }

        for (var g = 0; g < now.Groups.Length; g++)
        {
            var number = numbers[indices[Index(now.Groups[g], now)]];
            (outcome.Scores[number], outcome.Remained[number], outcome.Remains[number]) = ((float)scores[g], true, !going.Contains(now.Groups[g]));
        }

        return outcome;
    }

    /// <summary>The first index of a group in the dimension that makes it.</summary>
    private static int Index(PruningGroup group, GroupFamily family)
        => group.Entries.First(entry => group.Structure.Coupling.Axes[entry.Axis] == family.Axis).Index;
}
