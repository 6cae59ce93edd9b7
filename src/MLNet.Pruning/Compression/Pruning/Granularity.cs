using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>
/// In which pieces a network is pruned. Single weights, rows, columns and slices are set to zero and held there by masks; neurons, filters,
/// heads, hidden units, blocks and layers are really removed, with all that makes and reads them.
/// </summary>
public sealed class Granularity
{
    private readonly string _name;
    private readonly Func<int, bool> _fits;
    private readonly int _dimension;

    private Granularity(string name, Func<int, bool> fits, int dimension = 0, bool single = false)
        => (_name, _fits, _dimension, IsSingle) = (name, fits, dimension, single);

    private Granularity(string name, StructureOptions structure, params StructureKind[] kinds) : this(name, _ => false)
        => (Structure, Kinds) = (structure, [.. kinds]);

    /// <summary>Single weights.</summary>
    public static Granularity Weight { get; } = new("weight", _ => true, single: true);

    /// <summary>Rows of dense layers, set to zero: all weights into one unit.</summary>
    public static Granularity Row { get; } = new("row", rank => rank == 2);

    /// <summary>Columns of dense layers, set to zero: all weights from one input.</summary>
    public static Granularity Column { get; } = new("column", rank => rank == 2, 1);

    /// <summary>Units of dense layers and dimensions of embeddings, removed.</summary>
    public static Granularity Neuron { get; } = new("neuron", new(), StructureKind.Neuron, StructureKind.Embedding);

    /// <summary>Filters of convolutions with the channels they make, removed.</summary>
    public static Granularity Filter { get; } = new("filter", new(), StructureKind.Channel);

    /// <summary>The same as <see cref="Filter"/>.</summary>
    public static Granularity Channel => Filter;

    /// <summary>Whole groups of grouped convolutions, removed.</summary>
    public static Granularity ChannelGroup { get; } = new("channel group", new StructureOptions { WholeGroups = true }, StructureKind.ChannelGroup);

    /// <summary>Attention heads, removed.</summary>
    public static Granularity Head { get; } = new("head", new(), StructureKind.Head);

    /// <summary>Hidden units of recurrent layers, removed from all gates and both directions.</summary>
    public static Granularity HiddenUnit { get; } = new("hidden unit", new(), StructureKind.HiddenUnit);

    /// <summary>All that can be removed without removing a layer: neurons, filters, heads, hidden units.</summary>
    public static Granularity Unit { get; } = new("unit", new(), Enum.GetValues<StructureKind>());

    /// <summary>All units, but of attention the same index within every head instead of whole heads.</summary>
    public static Granularity UnitWithinHeads { get; } = new("unit within heads", new StructureOptions { WholeHeads = false }, Enum.GetValues<StructureKind>());

    /// <summary>Residual blocks, removed: the sum x + f(x) becomes x.</summary>
    public static Granularity Block { get; } = new("block", _ => false) { IsDepth = true };

    /// <summary>Residual blocks, and layers that give the shape they read, removed: the identity takes their place.</summary>
    public static Granularity Layer { get; } = new("layer", _ => false) { IsDepth = true, IncludesLayers = true };

    /// <summary>Slices along a dimension, whatever the layer, set to zero; as <c>dim</c> of <c>torch.nn.utils.prune.ln_structured</c>.</summary>
    /// <param name="dimension">From 0; negative ones count from the last.</param>
    public static Granularity Slice(int dimension) => new($"slice {dimension}", rank => dimension < rank && dimension >= -rank, dimension);

    /// <summary>Whether pieces are single weights.</summary>
    internal bool IsSingle { get; }

    /// <summary>Whether pieces are removed rather than set to zero.</summary>
    internal bool IsStructural => Structure is not null || IsDepth;

    /// <summary>How the network is read for groups; null where pieces are not groups.</summary>
    internal StructureOptions? Structure { get; }

    /// <summary>The groups that are pieces.</summary>
    internal ImmutableArray<StructureKind> Kinds { get; } = [];

    /// <summary>Whether pieces are blocks or layers.</summary>
    internal bool IsDepth { get; private init; }

    /// <summary>Whether layers outside residual blocks are pieces too.</summary>
    internal bool IncludesLayers { get; private init; }

    /// <inheritdoc/>
    public override string ToString() => _name;

    /// <summary>Whether a weight of that shape has such pieces.</summary>
    internal bool Fits(Parameter parameter) => _fits(parameter.Shape.Length);

    /// <summary>The dimension along which slices lie, from 0.</summary>
    internal int Dimension(Parameter parameter) => _dimension < 0 ? _dimension + parameter.Shape.Length : _dimension;
}
