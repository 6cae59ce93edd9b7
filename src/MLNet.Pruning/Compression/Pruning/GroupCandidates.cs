using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>The groups of some widths that may go, the least important first.</summary>
internal sealed class GroupCandidates
{
    private readonly NetworkStructure _structure;

    /// <param name="structure">The groups.</param>
    /// <param name="families">The widths.</param>
    /// <param name="scores">The importance score of each group of each width.</param>
    public GroupCandidates(NetworkStructure structure, IReadOnlyList<GroupFamily> families, double[][] scores)
    {
        _structure = structure;
        Order = [.. families.SelectMany((family, f) => family.Groups.Select((group, i) => (Family: f, Group: group, Score: scores[f][i])))
            .OrderBy(candidate => candidate.Score)
            .Select(candidate => (candidate.Family, candidate.Group))];
    }

    /// <summary>All of them with the place of their width.</summary>
    public IReadOnlyList<(int Family, PruningGroup Group)> Order { get; }

    /// <summary>
    /// The least important, so that so many of each width are left; more where something would be left with nothing, such as one part of a split.
    /// </summary>
    /// <param name="left">One number a width.</param>
    public List<PruningGroup> Least(IReadOnlyList<int> left)
    {
        List<PruningGroup> chosen = [.. Order.GroupBy(candidate => candidate.Family).SelectMany(candidates => candidates.SkipLast(left[candidates.Key]))
            .Select(candidate => candidate.Group)];
        while (chosen.Count > 0 && new StructureRemoval(_structure, chosen).Emptied().FirstOrDefault() is { Name: not null } emptied)
        {
            // The most important of what would be left with nothing stays.
            var roots = emptied.Classes.Select(_structure.Coupling.Classes.Find).ToHashSet();
            chosen.Remove(Order.Last(candidate => roots.Contains(candidate.Group.Root)).Group);
        }

        return chosen;
    }
}
