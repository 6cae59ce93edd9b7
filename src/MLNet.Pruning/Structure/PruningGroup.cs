using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning;

/// <summary>Indices of parameters that go together: a neuron, a channel, a head, a hidden unit with all that makes and reads it.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class PruningGroup : IHtmlDisplay
{
    private readonly int _number;
    private readonly ParameterAxis _axis;

    internal PruningGroup(NetworkStructure structure, int root, int number, StructureKind kind, ParameterAxis axis,
        ImmutableArray<(int Axis, int Index)> entries)
        => (Structure, Root, _number, Kind, _axis, Entries) = (structure, root, number, kind, axis, entries);

    /// <summary>What it is.</summary>
    public StructureKind Kind { get; }

    /// <summary>Name of the layer that makes it.</summary>
    public string Layer => _axis.Node.Name;

    /// <summary>Its number among the groups of that layer, from 0.</summary>
    public int Number => _number;

    /// <summary>What goes with it, in the order of the graph.</summary>
    public ImmutableArray<GroupMember> Members =>
    [
        .. Entries.GroupBy(entry => entry.Axis).Select(entry =>
            (Axis: Structure.Coupling.Axes[entry.Key], Indices: entry.Select(member => member.Index).ToImmutableArray()))
            .Select(entry => new GroupMember(entry.Axis.Parameter, entry.Axis.Dimension, entry.Indices, Reason(entry.Axis))),
    ];

    /// <summary>The dimension that makes it.</summary>
    internal ParameterAxis Axis => _axis;

    internal NetworkStructure Structure { get; }

    internal int Root { get; }

    internal ImmutableArray<(int Axis, int Index)> Entries { get; }

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [new ReportText(Heading),
        new ReportTable(["goes", "because"], [.. Members.Select(member => (string[])[member.ToString(), member.Reason])])];

    private string Heading => $"{Kind} {_number.ToString(CultureInfo.InvariantCulture)} of layer '{Layer}'";

    /// <summary>"conv1.weight[3] goes with bn1.scale[3] because ...", a line for each member.</summary>
    public override string ToString()
    {
        var members = Members;
        return string.Join(Environment.NewLine, members.Where(member => member.Parameter != _axis.Parameter || member.Dimension != _axis.Dimension)
            .Select(member => $"{members.First(first => first.Parameter == _axis.Parameter && first.Dimension == _axis.Dimension)} goes with {member} because "
                + $"{member.Reason}")
            .Prepend(Heading));
    }

    private static string Reason(ParameterAxis axis) => $"node '{axis.Node.Name}' ({axis.Node.Operator}) " + axis.Role switch
    {
        AxisRole.Output => "makes it",
        AxisRole.Input => "reads it",
        AxisRole.Affine => "shifts or scales it",
        _ => "shrinks with it",
    };
}

/// <summary>A slice of a parameter that belongs to a group.</summary>
public sealed record GroupMember
{
    internal GroupMember(string parameter, int dimension, ImmutableArray<int> indices, string reason)
        => (Parameter, Dimension, Indices, Reason) = (parameter, dimension, indices, reason);

    /// <summary>Name of the parameter.</summary>
    public string Parameter { get; }

    /// <summary>The dimension that loses indices, from 0.</summary>
    public int Dimension { get; }

    /// <summary>The indices that go.</summary>
    public ImmutableArray<int> Indices { get; }

    /// <summary>What the node that reads the parameter has to do with it.</summary>
    public string Reason { get; }

    /// <summary>As "conv2.weight[:,3]".</summary>
    public override string ToString()
        => $"{Parameter}[{string.Concat(Enumerable.Repeat(":,", Dimension))}{IndexRanges.Format(Indices)}]";
}
