using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Name and shape of a tensor that flows through a <see cref="Network"/>.</summary>
/// <param name="Name">Unique within the network.</param>
/// <param name="Shape">Sizes by dimension; the first is the batch and is -1.</param>
public sealed record TensorInfo(string Name, ImmutableArray<int> Shape)
{
    /// <summary>Number of values in one row of the batch.</summary>
    public int RowSize => checked((int)Shape.Skip(1).Aggregate(1L, (product, size) => product * size));

    /// <inheritdoc/>
    public bool Equals(TensorInfo? other) => other is not null && Name == other.Name && Shape.SequenceEqual(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Shape.Length);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}[{Dimensions(Shape)}]";

    /// <summary>"N x 3 x 28 x 28", with N for the batch.</summary>
    internal static string Dimensions(IEnumerable<int> shape) => string.Join(" x ", shape.Select(size => size < 0 ? "N" : size.ToString()));
}
