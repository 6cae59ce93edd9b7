using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>
/// What of a network is pruned as one. <see cref="Removes"/> tells those apart that set to zero from those that remove.
/// <list type="table">
/// <item><term>set to zero</term><description>and held there by masks, in tensors of the same sizes: <see cref="Weight"/>, <see cref="Row"/>,
/// <see cref="Column"/>, <see cref="Slice"/>, <see cref="Kernel"/>, <see cref="WeightBlock"/>, <see cref="NToM"/></description></item>
/// <item><term>removed</term><description>with all that makes and reads it, so that tensors shrink: <see cref="Neuron"/>, <see cref="Filter"/> (or
/// <see cref="Channel"/>), <see cref="ChannelGroup"/>, <see cref="Head"/>, <see cref="HiddenUnit"/>, <see cref="Unit"/>,
/// <see cref="UnitWithinHeads"/>, <see cref="Block"/>, <see cref="Layer"/></description></item>
/// </list>
/// </summary>
public sealed class Granularity
{
    private const int MostDimensions = 8;

    private readonly string _call;
    private readonly Func<Parameter, WeightAxes, bool> _fits;
    private readonly Func<Parameter, WeightAxes, StructureLayout>? _structures;

    private Granularity(string call, Func<Parameter, WeightAxes, bool> fits, Func<Parameter, WeightAxes, StructureLayout>? structures = null)
        => (_call, _fits, _structures) = (call, fits, structures);

    private Granularity(string call, StructureOptions structure, params StructureKind[] kinds) : this(call, (_, _) => false)
        => (Structure, Kinds) = (structure, [.. kinds]);

    /// <summary>Single weights.</summary>
    public static Granularity Weight { get; } = new(nameof(Weight), (_, _) => true) { IsSingle = true };

    /// <summary>Rows of dense layers, set to zero: all weights into one unit, however the weights are stored.</summary>
    public static Granularity Row { get; } = new(nameof(Row), IsDense, (parameter, axes) => StructureLayout.Slices(parameter, axes.Output));

    /// <summary>Columns of dense layers, set to zero: all weights from one input, however the weights are stored.</summary>
    public static Granularity Column { get; } = new(nameof(Column), IsDense, (parameter, axes) => StructureLayout.Slices(parameter, axes.Input));

    /// <summary>
    /// Kernels of convolutions, set to zero: all weights from one channel into one filter (Mao et al. 2017, "Exploring the Granularity of Sparsity").
    /// </summary>
    public static Granularity Kernel { get; } = new(nameof(Kernel), (parameter, axes) => axes.IsConvolution && parameter.Shape.Length > 2,
        (parameter, _) => StructureLayout.Kernels(parameter));

    /// <summary>Units of dense layers and dimensions of embeddings, removed.</summary>
    public static Granularity Neuron { get; } = new(nameof(Neuron), new(), StructureKind.Neuron, StructureKind.Embedding);

    /// <summary>Filters of convolutions with the channels they make, removed.</summary>
    public static Granularity Filter { get; } = new(nameof(Filter), new(), StructureKind.Channel);

    /// <summary>The same as <see cref="Filter"/>.</summary>
    public static Granularity Channel => Filter;

    /// <summary>Whole groups of grouped convolutions, removed.</summary>
    public static Granularity ChannelGroup { get; } = new(nameof(ChannelGroup), new StructureOptions { WholeGroups = true }, StructureKind.ChannelGroup);

    /// <summary>Attention heads, removed.</summary>
    public static Granularity Head { get; } = new(nameof(Head), new(), StructureKind.Head);

    /// <summary>Hidden units of recurrent layers, removed from all gates and both directions.</summary>
    public static Granularity HiddenUnit { get; } = new(nameof(HiddenUnit), new(), StructureKind.HiddenUnit);

    /// <summary>All that can be removed without removing a layer: neurons, filters, heads, hidden units.</summary>
    public static Granularity Unit { get; } = new(nameof(Unit), new(), Enum.GetValues<StructureKind>());

    /// <summary>All units, but of attention the same index within every head instead of whole heads.</summary>
    public static Granularity UnitWithinHeads { get; } = new(nameof(UnitWithinHeads), new StructureOptions { WholeHeads = false },
        Enum.GetValues<StructureKind>());

    /// <summary>Residual blocks, removed: the sum x + f(x) becomes x.</summary>
    public static Granularity Block { get; } = new(nameof(Block), (_, _) => false) { IsDepth = true };

    /// <summary>Residual blocks, and layers that give the shape they read, removed: the identity takes their place.</summary>
    public static Granularity Layer { get; } = new(nameof(Layer), (_, _) => false) { IsDepth = true, IncludesLayers = true };

    /// <summary>Slices along a dimension, whatever the layer, set to zero; as <c>dim</c> of <c>torch.nn.utils.prune.ln_structured</c>.</summary>
    /// <param name="dimension">From 0 to 7; -1 to -8 count from the last.</param>
    /// <exception cref="ArgumentOutOfRangeException">No weight has such a dimension.</exception>
    public static Granularity Slice(int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, -MostDimensions);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dimension, MostDimensions);
        return new(Notation.Call(nameof(Slice), dimension), (parameter, _) => dimension < parameter.Shape.Length && dimension >= -parameter.Shape.Length,
            (parameter, _) => StructureLayout.Slices(parameter, dimension < 0 ? dimension + parameter.Shape.Length : dimension));
    }

    /// <summary>
    /// Blocks of dense and recurrent weights, seen as outputs x inputs, and of convolutions, seen as filters x all that a filter reads; set to
    /// zero (Gray, Radford &amp; Kingma 2017, "GPU Kernels for Block-Sparse Weights"). Transposed convolutions have none.
    /// </summary>
    /// <param name="rows">Outputs in a block, at least 1; has to divide the outputs of every layer in scope.</param>
    /// <param name="columns">Inputs in a block, at least 1; has to divide the inputs of every layer in scope.</param>
    public static Granularity WeightBlock(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        return new(Notation.Call(nameof(WeightBlock), rows, columns), (parameter, axes) => WeightMatrix.Of(parameter, axes) is not null,
            (parameter, axes) => StructureLayout.Blocks(WeightMatrix.Of(parameter, axes)!.Value, rows, columns))
        {
            Misfit = (parameter, axes) => WeightMatrix.Of(parameter, axes) is { } matrix && matrix.Rows % rows == 0 && matrix.Columns % columns == 0 ? null
                : WeightMatrix.Of(parameter, axes) is { } odd ? $"{parameter} has {odd.Rows} outputs x {odd.Columns} inputs" : null,
        };
    }

    /// <summary>
    /// N:M sparsity: of every m consecutive inputs (of convolutions: channels) to a unit the n most important stay, as NVIDIA's sparse tensor
    /// cores read it for 2:4 (Mishra et al. 2021, "Accelerating Sparse Deep Neural Networks"; Zhou et al. 2021). The pattern is the amount:
    /// a share 1 - n/m of the weights, and no other amount can be requested. Schedules go there by dropping one more of every m at a time.
    /// </summary>
    /// <param name="n">Weights that stay, at least 1 and below <paramref name="m"/>.</param>
    /// <param name="m">Weights in a group; has to divide the inputs of every layer in scope.</param>
    public static Granularity NToM(int n, int m)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(m, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(n, m);
        return new(Notation.Call(nameof(NToM), n, m), (parameter, _) => parameter.Shape.Length > 1)
        {
            Pattern = (n, m),
            Misfit = (parameter, axes) => parameter.Shape[axes.Input] % m == 0 ? null : $"{parameter} has {parameter.Shape[axes.Input]} inputs",
        };
    }

    /// <summary>Whether single weights are pruned.</summary>
    internal bool IsSingle { get; private init; }

    /// <summary>How many weights of how many inputs stay, where that is what is requested.</summary>
    internal (int Kept, int Size)? Pattern { get; private init; }

    /// <summary>The amount that the granularity itself says; null where it says none.</summary>
    internal Amount? FixedAmount => Pattern is var (kept, size) ? Amount.Fraction(1 - (double)kept / size) : null;

    /// <summary>
    /// Whether what goes is removed, so that tensors shrink and any runtime is faster for it; else it is set to zero and held there by masks, and
    /// tensors keep their sizes.
    /// </summary>
    public bool Removes => Structure is not null || IsDepth;

    /// <summary>How the network is read for groups; null where structures are not groups.</summary>
    internal StructureOptions? Structure { get; }

    /// <summary>The groups that are pruned as one.</summary>
    internal ImmutableArray<StructureKind> Kinds { get; } = [];

    /// <summary>Whether blocks or layers are pruned.</summary>
    internal bool IsDepth { get; private init; }

    /// <summary>Whether layers outside residual blocks are pruned too.</summary>
    internal bool IncludesLayers { get; private init; }

    /// <inheritdoc/>
    public override string ToString() => _call;

    /// <summary>What of a weight's sizes the structures do not divide; null where they do.</summary>
    private Func<Parameter, WeightAxes, string?> Misfit { get; init; } = (_, _) => null;

    /// <summary>Whether a weight has such structures.</summary>
    internal bool Fits(Parameter parameter, WeightAxes axes) => _fits(parameter, axes);

    /// <summary>The structures of a weight that has them.</summary>
    internal StructureLayout Structures(Parameter parameter, WeightAxes axes) => _structures!(parameter, axes);

    /// <summary>Refuses weights that the structures do not divide.</summary>
    /// <exception cref="ArgumentException">Names all of them.</exception>
    internal void Check(IEnumerable<PoolMember> members)
    {
        var odd = members.Select(member => Misfit(member.Parameter, member.Axes) is { } sizes ? $"layer '{member.Layer}' ({sizes})" : null).OfType<string>()
            .ToArray();
        if (odd.Length > 0)
        {
            throw new ArgumentException($"Granularity '{this}' does not divide: {string.Join(", ", odd)}. Leave them out of the scope, or give them a "
                + "granularity of their own.");
        }
    }

    private static bool IsDense(Parameter parameter, WeightAxes axes) => parameter.Shape.Length == 2;
}
