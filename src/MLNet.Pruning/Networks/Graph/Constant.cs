using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Networks.Graph;

/// <summary>A named tensor that is neither trained nor pruned and is not of floats: indices, conditions, strings.</summary>
/// <param name="Name">Unique within the network.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Sizes by dimension.</param>
/// <param name="Values">The values of integers and truth values (0 and 1) in row-major order; default for other types.</param>
/// <param name="Proto">As it was read, for types that are carried; null for those that <paramref name="Values"/> tells.</param>
internal sealed record Constant(string Name, TensorType Type, ImmutableArray<int> Shape, ImmutableArray<long> Values, TensorProto? Proto = null);
