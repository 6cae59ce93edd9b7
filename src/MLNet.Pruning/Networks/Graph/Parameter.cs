using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning;

/// <summary>A named tensor of 32-bit floats that a <see cref="Network"/> owns: a weight, a bias, a running statistic.</summary>
public sealed class Parameter
{
    private readonly float[]? _values;

    internal Parameter(string name, ImmutableArray<int> shape, float[]? values, bool trainable, Initializer initializer)
    {
        Count = checked((int)shape.Aggregate(1L, (product, size) => checked(product * size)));
        if (values is not null && values.Length != Count)
        {
            throw new ArgumentException($"Parameter '{name}' of shape {TensorInfo.Dimensions(shape)} has {Count} values, but {values.Length} were given.",
                nameof(values));
        }

        (Name, Shape, _values, Trainable, Initializer) = (name, shape, values, trainable, initializer);
    }

    /// <summary>Unique within the network, such as <c>fc1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>Sizes by dimension. Weights of dense layers are outputs x inputs, of convolutions filters x channels x height x width.</summary>
    public ImmutableArray<int> Shape { get; }

    /// <summary>Number of values.</summary>
    public int Count { get; }

    /// <summary>Whether training changes it by gradient. Running statistics of batch normalisation are not trained that way.</summary>
    public bool Trainable { get; }

    /// <summary>Whether it has values yet; those of a network made by a builder are drawn when training starts.</summary>
    public bool IsInitialized => _values is not null;

    /// <summary>The values in row-major order.</summary>
    /// <exception cref="InvalidOperationException">The parameter has no values yet.</exception>
    public ReadOnlySpan<float> Values => Array;

    /// <summary>How a builder's network draws its first values.</summary>
    internal Initializer Initializer { get; }

    /// <summary>The storage itself, for zero-copy views: never written to once the parameter exists.</summary>
    internal float[] Array => _values ?? throw new InvalidOperationException(
        $"Parameter '{Name}' has no values yet: train the network, or call Network.Initialize(seed).");

    /// <inheritdoc/>
    public override string ToString() => $"{Name}[{TensorInfo.Dimensions(Shape)}]";

    /// <summary>Type of the values for the nodes that read them; in memory they are 32-bit floats.</summary>
    internal TensorType Type { get; init; } = TensorType.Float;

    /// <summary>Type under which a file holds the values, where it is not <see cref="Type"/> itself; the file then casts them.</summary>
    internal TensorType? Stored { get; init; }

    /// <summary>The integers that a file holds the values as; null for floats.</summary>
    internal QuantizationGrid? Grid { get; init; }

    /// <summary>
    /// How many values follow one another in each entry of the list in which a file holds places of them, as long as they are few: 1 for a list of values, more
    /// for one of vectors for each part of a row; 0 for floats.
    /// </summary>
    internal int CodeLength { get; init; }

    internal Parameter WithValues(float[] values) => Like(Shape, values, Trainable, Grid);

    /// <summary>With other values in another shape.</summary>
    internal Parameter WithValues(ImmutableArray<int> shape, float[] values, QuantizationGrid? grid = null) => Like(shape, values, Trainable, grid);

    /// <summary>The same values, which a file is to hold as another type.</summary>
    internal Parameter Held(TensorType type) => new(Name, Shape, _values, Trainable, Initializer) { Type = Type, Stored = type };

    /// <summary>The same values, which a file is to hold as places in a list, or with 0 as they are.</summary>
    internal Parameter Coded(int length)
        => new(Name, Shape, _values, Trainable, Initializer) { Type = Type, Stored = Stored, Grid = Grid, CodeLength = length };

    /// <summary>The same values, to be held as floats.</summary>
    internal Parameter OffGrid() => Like(Shape, _values, Trainable, null);

    /// <summary>Without values in another shape.</summary>
    internal Parameter WithShape(ImmutableArray<int> shape) => Like(shape, null, Trainable, null);

    /// <summary>Whether it is the same to a graph: of the same name, shape and type, and trained or not.</summary>
    internal bool IsLike(Parameter other) => Name == other.Name && Type == other.Type && Trainable == other.Trainable && Shape.SequenceEqual(other.Shape);

    internal Parameter WithTrainable(bool trainable) => Like(Shape, _values, trainable, Grid);

    private Parameter Like(ImmutableArray<int> shape, float[]? values, bool trainable, QuantizationGrid? grid)
        => new(Name, shape, values, trainable, Initializer) { Type = Type, Stored = Stored, Grid = grid, CodeLength = CodeLength };
}
