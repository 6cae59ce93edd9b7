using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

internal static partial class OnnxTensor
{
    // A few bytes could otherwise claim all of memory. A layer with a thousand zeros to every other value is long dead.
    private const int MaximumExpansion = 1000;

    /// <summary>Zeros beyond a thousand a value that the sparse tensors of one file may stand for together: 64 MB of them.</summary>
    public const long MaximumUnbacked = 1 << 24;

    /// <summary>
    /// Whether values are smaller as a sparse tensor: 12 bytes for each that is not zero, against 4 for each. Fewer than
    /// one in a thousand stay dense, because readers may refuse to expand them.
    /// </summary>
    public static bool SparseGains(ReadOnlySpan<float> values)
    {
        var others = (long)values.Length - values.Count(0f);
        return others * (sizeof(long) + sizeof(float)) < values.Length * (long)sizeof(float) && values.Length <= others * MaximumExpansion;
    }

    /// <summary>The values that are not zero, with their positions in row-major order. A negative zero becomes zero.</summary>
    public static SparseTensorProto ToSparse(string name, IEnumerable<long> dims, ReadOnlySpan<float> values)
    {
        var indices = new List<long>();
        var others = new List<float>();
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] != 0)
            {
                indices.Add(i);
                others.Add(values[i]);
            }
        }

        var sparse = new SparseTensorProto
        {
            Values = FromFloats(name, [others.Count], CollectionsMarshal.AsSpan(others)),
            Indices = FromLongs("", [indices.Count], CollectionsMarshal.AsSpan(indices)),
        };
        sparse.Dims.AddRange(dims);
        return OnnxTensorSize.Count(sparse.Dims, $"Tensor '{name}'") == values.Length ? sparse
            : throw new ArgumentException($"Tensor '{name}' has the dimensions [{OnnxTensorSize.Dimensions(sparse.Dims)}], but {values.Length} values were "
                + "given.", nameof(dims));
    }

    /// <summary>The values of a sparse tensor of floats, zeros included.</summary>
    /// <param name="tensor">Its values, and their positions linear or by coordinates, ascending and without repetition.</param>
    /// <param name="folder">The model's folder, for external data; null if it has none.</param>
    /// <returns>A pinned array, so that native code can use it in place.</returns>
    /// <exception cref="OnnxFormatException">Another type, or values and positions that do not fit each other or the dimensions.</exception>
    public static float[] ToFloats(SparseTensorProto tensor, string? folder)
    {
        var place = $"Sparse tensor '{tensor.Values?.Name}'";
        var positions = Positions(tensor, folder, place);
        var others = ToFloats(tensor.Values!, folder);
        var values = GC.AllocateArray<float>(Length(tensor.Dims, place), pinned: true);
        for (var i = 0; i < others.Length; i++)
        {
            values[positions[i]] = others[i];
        }

        return values;
    }

    /// <summary>Refuses a sparse tensor whose parts do not fit each other.</summary>
    /// <returns>How many zeros it stands for beyond a thousand a value.</returns>
    public static long CheckSparse(SparseTensorProto tensor, string? folder, string place)
    {
        var positions = Positions(tensor, folder, place);
        return Unbacked(OnnxTensorSize.Count(tensor.Dims, place), positions.Length);
    }

    private static long Unbacked(long count, long values) => Math.Max(0, count - (values * MaximumExpansion));

    /// <summary>Positions of the values in row-major order.</summary>
    private static long[] Positions(SparseTensorProto tensor, string? folder, string place)
    {
        if (tensor.Values is not { } values || tensor.Indices is not { } indices)
        {
            throw new OnnxFormatException($"{place} has no {(tensor.Values is null ? "values" : "indices")}.");
        }

        OnnxTensorSize.Check(values, folder, $"{place}, values");
        OnnxTensorSize.Check(indices, folder, $"{place}, indices");
        var count = OnnxTensorSize.Count(tensor.Dims, place);
        if (values.Dims.Count != 1 || indices.DataType != (int)DataType.Int64)
        {
            throw new OnnxFormatException($"{place} has values of the dimensions [{OnnxTensorSize.Dimensions(values.Dims)}] and indices of type "
                + $"{(DataType)indices.DataType}; expected one dimension and Int64.");
        }

        var rank = tensor.Dims.Count;
        var linear = indices.Dims.Count == 1;
        if (rank == 0 || !indices.Dims.SequenceEqual(linear ? [values.Dims[0]] : [values.Dims[0], rank]))
        {
            throw new OnnxFormatException($"{place} has {values.Dims[0]} values but indices of the dimensions [{OnnxTensorSize.Dimensions(indices.Dims)}]; "
                + $"expected one position for each, linear or of {rank} coordinates.");
        }

        if (Unbacked(count, values.Dims[0]) > MaximumUnbacked)
        {
            throw new OnnxFormatException($"{place} has the dimensions [{OnnxTensorSize.Dimensions(tensor.Dims)}] but {values.Dims[0]} values; expected at "
                + $"least one in {MaximumExpansion}.");
        }

        var positions = ToLongs(indices, folder);
        if (!linear)
        {
            positions = Linear(positions, tensor.Dims, place);
        }

        for (var i = 0; i < positions.Length; i++)
        {
            if (positions[i] < 0 || positions[i] >= count)
            {
                throw new OnnxFormatException($"{place} has the position {positions[i]} at {i}; expected 0 to {count - 1}.");
            }

            if (i > 0 && positions[i] <= positions[i - 1])
            {
                throw new OnnxFormatException($"{place} has the position {positions[i]} at {i} after {positions[i - 1]}; expected ascending positions without "
                    + "repetition.");
            }
        }

        return positions;
    }

    private static long[] Linear(long[] coordinates, IReadOnlyList<long> dims, string place)
    {
        var positions = new long[coordinates.Length / dims.Count];
        for (var i = 0; i < coordinates.Length; i++)
        {
            var size = dims[i % dims.Count];
            positions[i / dims.Count] = coordinates[i] >= 0 && coordinates[i] < size ? (positions[i / dims.Count] * size) + coordinates[i]
                : throw new OnnxFormatException($"{place} has the coordinate {coordinates[i]} in dimension {i % dims.Count}; expected 0 to {size - 1}.");
        }

        return positions;
    }
}
