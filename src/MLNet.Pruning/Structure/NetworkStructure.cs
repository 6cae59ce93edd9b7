using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

/// <summary>
/// The groups of a network: which indices of which parameters have to go together so that the smaller network is well formed and computes
/// what the larger one with the same groups masked to zero computes. Prints one line for every layer, with the reason where it cannot shrink.
/// </summary>
public sealed class NetworkStructure : IReadOnlyList<PruningGroup>
{
    private readonly ImmutableArray<PruningGroup> _groups;

    internal NetworkStructure(Network network, StructureOptions options)
    {
        (Network, Options) = (network, options);
        Coupling = Coupling.Of(network, options);
        (_groups, Families) = Collect();
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>How it was read.</summary>
    public StructureOptions Options { get; }

    /// <inheritdoc/>
    public int Count => _groups.Length;

    internal Coupling Coupling { get; }

    /// <summary>Groups made by the same dimension of the same weight: the width of a layer.</summary>
    internal ImmutableArray<GroupFamily> Families { get; }

    /// <summary>A group by its place.</summary>
    /// <param name="index">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such place.</exception>
    public PruningGroup this[int index] => index >= 0 && index < Count ? _groups[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"There are {Count} groups.");

    /// <inheritdoc/>
    public IEnumerator<PruningGroup> GetEnumerator() => ((IEnumerable<PruningGroup>)_groups).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The reason why each dimension that makes units cannot shrink, or can only in part.</summary>
    public IEnumerable<string> Reasons() => Coupling.Axes.Where(axis => axis.Role == AxisRole.Output)
        .SelectMany(axis => axis.Classes.GroupBy(Coupling.Classes.Reason).Where(group => group.Key is not null)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{axis.Parameter} ({axis.Node.Operator} '{axis.Node.Name}'), dimension {axis.Dimension}: {group.Count()} of {axis.Classes.Length} stay: {group.Key}")));

    /// <inheritdoc/>
    public override string ToString() => TextTable.Format(["layer", "kind", "groups", "parameters that go with it"],
        [.. Families.Select(family => new[]
        {
            family.Axis.Node.Name, family.Kind.ToString(), family.Groups.Length.ToString(CultureInfo.InvariantCulture),
            string.Join(", ", family.Groups[0].Entries.Select(entry => Coupling.Axes[entry.Axis].Parameter).Distinct()),
        })],
        ["total", "", Count.ToString(CultureInfo.InvariantCulture), ""]) + Environment.NewLine + string.Join(Environment.NewLine, Reasons());

    private (ImmutableArray<PruningGroup>, ImmutableArray<GroupFamily>) Collect()
    {
        var classes = Coupling.Classes;
        var heads = Coupling.Heads.Select(classes.Find).ToHashSet();
        var first = new Dictionary<int, (int Axis, int Index)>();
        var entries = new Dictionary<int, List<(int Axis, int Index)>>();
        for (var a = 0; a < Coupling.Axes.Count; a++)
        {
            var axis = Coupling.Axes[a];
            for (var i = 0; i < axis.Classes.Length; i++)
            {
                var root = classes.Find(axis.Classes[i]);
                if (classes.IsFixed(root))
                {
                    continue;
                }

                (entries.TryGetValue(root, out var list) ? list : entries[root] = []).Add((a, i));
                if (axis.Role == AxisRole.Output && !first.ContainsKey(root))
                {
                    first[root] = (a, i);
                }
            }
        }

        var groups = ImmutableArray.CreateBuilder<PruningGroup>(first.Count);
        var families = ImmutableArray.CreateBuilder<GroupFamily>();
        foreach (var family in first.GroupBy(pair => pair.Value.Axis).OrderBy(family => family.Key))
        {
            var axis = Coupling.Axes[family.Key];
            var members = family.OrderBy(pair => pair.Value.Index).Select((pair, number)
                => new PruningGroup(this, pair.Key, number, heads.Contains(pair.Key) ? StructureKind.Head : axis.Kind, axis, [.. entries[pair.Key]])).ToImmutableArray();
            groups.AddRange(members);
            families.Add(new(axis, members[0].Kind, members));
        }

        return (groups.ToImmutable(), families.ToImmutable());
    }
}
