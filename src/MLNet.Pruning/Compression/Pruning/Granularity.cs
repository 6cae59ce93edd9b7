namespace MLNet.Pruning;

/// <summary>In which pieces weights are dropped: one by one, or whole slices of a weight tensor.</summary>
public sealed class Granularity
{
    private readonly string _name;
    private readonly Func<int, bool> _fits;
    private readonly int _dimension;

    private Granularity(string name, Func<int, bool> fits, int dimension = 0, bool single = false)
        => (_name, _fits, _dimension, IsSingle) = (name, fits, dimension, single);

    /// <summary>Single weights.</summary>
    public static Granularity Weight { get; } = new("weight", _ => true, single: true);

    /// <summary>Rows of dense layers: all weights into one unit.</summary>
    public static Granularity Row { get; } = new("row", rank => rank == 2);

    /// <summary>Columns of dense layers: all weights from one input.</summary>
    public static Granularity Column { get; } = new("column", rank => rank == 2, 1);

    /// <summary>Filters of convolutions: all weights into one output channel.</summary>
    public static Granularity Filter { get; } = new("filter", rank => rank > 2);

    /// <summary>Channels of convolutions: all weights from one input channel (of its group).</summary>
    public static Granularity Channel { get; } = new("channel", rank => rank > 2, 1);

    /// <summary>Slices along a dimension, whatever the layer; as <c>dim</c> of <c>torch.nn.utils.prune.ln_structured</c>.</summary>
    /// <param name="dimension">From 0; negative ones count from the last.</param>
    public static Granularity Slice(int dimension) => new($"slice {dimension}", rank => dimension < rank && dimension >= -rank, dimension);

    /// <summary>Whether pieces are single weights.</summary>
    internal bool IsSingle { get; }

    /// <inheritdoc/>
    public override string ToString() => _name;

    /// <summary>Whether a weight of that shape has such pieces.</summary>
    internal bool Fits(Parameter parameter) => _fits(parameter.Shape.Length);

    /// <summary>The dimension along which slices lie, from 0.</summary>
    internal int Dimension(Parameter parameter) => _dimension < 0 ? _dimension + parameter.Shape.Length : _dimension;
}
