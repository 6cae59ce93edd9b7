using System.Collections;
using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

/// <summary>
/// The groups of a network, and of every one of the same graph with other weights: which indices of which parameters have to go together so that the
/// smaller network is well formed and computes what the larger one with the same groups masked to zero computes. Prints one line for every layer, with the
/// reason where it cannot shrink.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class NetworkStructure : IReadOnlyList<PruningGroup>, IHtmlDisplay
{
    [ThreadStatic]
    private static int s_analyses;

    private readonly ImmutableArray<PruningGroup> _groups;

    internal NetworkStructure(NetworkGraph graph, StructureOptions options, IReadOnlySet<string> positive)
    {
        s_analyses++;
        Options = options;
        Coupling = Coupling.Of(graph, options, positive);
        (_groups, Families) = Collect();
    }

    /// <summary>How it was read.</summary>
    public StructureOptions Options { get; }

    /// <inheritdoc/>
    public int Count => _groups.Length;

    /// <summary>How many graphs were analysed on this thread, so that a test sees that each is but once.</summary>
    internal static int Analyses => s_analyses;

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

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [Table(), .. Reasons().Select(reason => new ReportText(reason))];

    /// <summary>The reason why each dimension that makes units cannot shrink, or can only in part.</summary>
    public IEnumerable<string> Reasons() => Coupling.Axes.Where(axis => axis.Role == AxisRole.Output)
        .SelectMany(axis => axis.Classes.GroupBy(Coupling.Classes.Reason).Where(group => group.Key is not null)
            .Select(group => string.Create(CultureInfo.InvariantCulture,
                $"{axis.Parameter} ({axis.Node.Operator} '{axis.Node.Name}'), dimension {axis.Dimension}: {group.Count()} of {axis.Classes.Length} stay: "
                    + $"{group.Key}")));

    /// <inheritdoc/>
    public override string ToString() => Table() + Environment.NewLine + string.Join(Environment.NewLine, Reasons());

    private ReportTable Table() => new(["layer", "kind", "groups", "parameters that go with it"],
        [.. Families.Select(family => new[]
        {
            family.Axis.Node.Name, family.Kind.ToString(), family.Groups.Length.ToString(CultureInfo.InvariantCulture),
            string.Join(", ", family.Groups[0].Entries.Select(entry => Coupling.Axes[entry.Axis].Parameter).Distinct()),
        })],
        ["total", "", Count.ToString(CultureInfo.InvariantCulture), ""]);

    private (ImmutableArray<PruningGroup>, ImmutableArray<GroupFamily>) Collect()
    {
        var classes = Coupling.Classes;
        var heads = Coupling.Heads.Select(classes.Find).ToHashSet();
        // By root: how many entries a group has, and the entries of those that a dimension makes, which may be few of very many.
        var (counts, entries) = (new int[classes.Count], new Dictionary<int, ImmutableArray<(int Axis, int Index)>.Builder>());
        Visit((root, _, _) => counts[root]++);
        // The roots that each dimension is the first to make, in the order of its indices.
        var made = Coupling.Axes.ConvertAll(_ => new List<int>());
        Visit((root, axis, _) =>
        {
            if (Coupling.Axes[axis].Role == AxisRole.Output && !entries.ContainsKey(root))
            {
                entries.Add(root, ImmutableArray.CreateBuilder<(int Axis, int Index)>(counts[root]));
                made[axis].Add(root);
            }
        });
        Visit((root, axis, index) => entries.GetValueOrDefault(root)?.Add((axis, index)));

        var groups = ImmutableArray.CreateBuilder<PruningGroup>();
        var families = ImmutableArray.CreateBuilder<GroupFamily>();
        foreach (var (roots, axis) in made.Zip(Coupling.Axes).Where(one => one.First.Count > 0))
        {
            var members = roots.Select((root, number) => new PruningGroup(this, root, number, heads.Contains(root) ? StructureKind.Head : axis.Kind, axis,
                entries[root].MoveToImmutable())).ToImmutableArray();
            groups.AddRange(members);
            families.Add(new(axis, members[0].Kind, members));
        }

        return (groups.ToImmutable(), families.ToImmutable());
    }

    /// <summary>Every index of every dimension that can go, in order, with the root of its class.</summary>
    private void Visit(Action<int, int, int> visit)
    {
        var classes = Coupling.Classes;
        for (var a = 0; a < Coupling.Axes.Count; a++)
        {
            var own = Coupling.Axes[a].Classes;
            for (var i = 0; i < own.Length; i++)
            {
                var root = classes.Find(own[i]);
                if (!classes.IsFixed(root))
                {
                    visit(root, a, i);
                }
            }
        }
    }
}
