namespace MLNet.Pruning;

/// <summary>Name, shape and type of a tensor that flows through a <see cref="Network"/>.</summary>
public sealed record TensorInfo
{
    internal TensorInfo(string name, ImmutableArray<int> shape)
        => (Name, Shape) = (name, shape);

    /// <summary>Unique within the network.</summary>
    public string Name { get; }

    /// <summary>
    /// Sizes by dimension. Negative ones are open until the network runs: -1 is the batch, others are further named dimensions, such as
    /// the length of a sequence. Default (<see cref="IsKnown"/> false) where an unknown operator hides it.
    /// </summary>
    public ImmutableArray<int> Shape { get; internal init; }

    /// <summary>The size that stands for the batch.</summary>
    internal const int Batch = -1;

    /// <summary>Type of the elements.</summary>
    public TensorType Type { get; internal init; } = TensorType.Float;

    /// <summary>Whether the shape is known.</summary>
    public bool IsKnown => !Shape.IsDefault;

    /// <summary>Number of values in one row of the batch.</summary>
    /// <exception cref="InvalidOperationException">The shape is unknown, or a dimension other than the first is open.</exception>
    public int RowSize => IsKnown && Shape.Skip(1).All(size => size >= 0)
        ? checked((int)Shape.Skip(1).Aggregate(1L, (product, size) => product * size))
        : throw new InvalidOperationException($"The rows of tensor '{Name}' ({(IsKnown ? Dimensions(Shape) : "of unknown shape")}) have no fixed number of "
            + "values.");

    /// <inheritdoc/>
    public bool Equals(TensorInfo? other) => other is not null && Name == other.Name && Type == other.Type
        && IsKnown == other.IsKnown && (!IsKnown || Shape.SequenceEqual(other.Shape));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Type);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}[{(IsKnown ? Dimensions(Shape) : "?")}]";

    /// <summary>"N x 3 x 28 x 28", with N for the batch and d2, d3, ... for other open dimensions.</summary>
    internal static string Dimensions(IEnumerable<int> shape)
        => string.Join(" x ", shape.Select(size => size switch { Batch => "N", < 0 => $"d{-size}", _ => size.ToString() }));
}
