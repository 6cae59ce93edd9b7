using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

/// <summary>How many values and bytes a tensor of an ONNX file claims to have, held against what is there before anything is allocated.</summary>
internal static class OnnxTensorSize
{
    /// <summary>More than any runtime takes.</summary>
    public const int MostDimensions = 64;

    private const int MostShown = 16;

    /// <summary>Whether the values lie in a file of their own.</summary>
    public static bool IsExternal(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>Number of values by the dimensions alone.</summary>
    /// <exception cref="OnnxFormatException">A dimension is negative, or the product passes 64 bits.</exception>
    public static long Count(IReadOnlyCollection<long> dims, string place)
    {
        if (dims.Count > MostDimensions)
        {
            throw new OnnxFormatException($"{place} has {dims.Count} dimensions; expected at most {MostDimensions}.");
        }

        if (dims.Any(size => size < 0))
        {
            throw new OnnxFormatException($"{place} has the dimensions [{Dimensions(dims)}]; none may be negative.");
        }

        if (dims.Contains(0))
        {
            return 0;
        }

        var product = UInt128.One;
        foreach (var size in dims)
        {
            product *= (ulong)size;
            if (product > long.MaxValue)
            {
                throw new OnnxFormatException($"{place} has the dimensions [{Dimensions(dims)}], whose product is more than {long.MaxValue}.");
            }
        }

        return (long)product;
    }

    /// <summary>Bits of one value in raw or external data; 0 for strings, which have neither.</summary>
    public static int Bits(DataType type, string place) => type switch
    {
        DataType.String => 0,
        DataType.Uint2 or DataType.Int2 => 2,
        DataType.Uint4 or DataType.Int4 or DataType.Float4E2M1 => 4,
        DataType.Bool or DataType.Uint8 or DataType.Int8 or DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz or DataType.Float8E5M2
            or DataType.Float8E5M2Fnuz or DataType.Float8E8M0 => 8,
        DataType.Uint16 or DataType.Int16 or DataType.Float16 or DataType.Bfloat16 => 16,
        DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
        DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
        DataType.Complex128 => 128,
        _ => throw new OnnxFormatException($"{place} has the data type {(int)type}; expected 1 (float) to {(int)DataType.Int2} (2-bit integer)."),
    };

    /// <summary>Bytes of that many values, the last one filled up for types below a byte.</summary>
    public static Int128 Bytes(long count, int bits) => (((Int128)count * bits) + 7) / 8;

    /// <summary>"3 x 28 x 28", the first few of too many.</summary>
    public static string Dimensions(IReadOnlyCollection<long> dims) =>
        string.Join(" x ", dims.Take(MostShown).Select(size => size.ToString(CultureInfo.InvariantCulture)))
            + (dims.Count > MostShown ? $" x ... ({dims.Count} in all)" : "");

    /// <summary>Refuses a tensor whose values are not there, in the number and size its type and dimensions ask for.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="folder">The model's folder, to which external locations are relative; null if it has none.</param>
    /// <param name="place">Starts the message: what and where the tensor is.</param>
    public static void Check(TensorProto tensor, string? folder, string place)
    {
        if (tensor.Segment is not null)
        {
            throw new OnnxFormatException($"{place} is a segment of a tensor; only whole tensors are read.");
        }

        var type = (DataType)tensor.DataType;
        var bits = Bits(type, place);
        var count = Count(tensor.Dims, place);
        var filled = Filled(tensor).ToList();
        if (filled.Count > 1 || (IsExternal(tensor) && filled.Count > 0))
        {
            throw new OnnxFormatException($"{place} has values in {string.Join(" and ", filled)}{(IsExternal(tensor) ? " and in an external file" : "")}; "
                + "expected one place.");
        }

        var claim = $"{place} of type {type} with the dimensions [{Dimensions(tensor.Dims)}]";
        if (IsExternal(tensor))
        {
            if (type == DataType.String)
            {
                throw new OnnxFormatException($"{claim} lies in an external file; strings never do.");
            }

            OnnxExternalData.Locate(tensor, Bytes(count, bits), folder, claim);
        }
        else if (filled is ["raw_data"])
        {
            // No bits a value: strings are refused here too.
            if (tensor.RawData.Length != Bytes(count, bits))
            {
                throw new OnnxFormatException($"{claim} has {tensor.RawData.Length} bytes of raw data; expected {Bytes(count, bits)}.");
            }
        }
        else
        {
            CheckTyped(tensor, type, count, bits, filled.FirstOrDefault(), claim);
        }
    }

    private static void CheckTyped(TensorProto tensor, DataType type, long count, int bits, string? filled, string claim)
    {
        var (field, found) = type switch
        {
            DataType.Float or DataType.Complex64 => ("float_data", tensor.FloatData.Count),
            DataType.Double or DataType.Complex128 => ("double_data", tensor.DoubleData.Count),
            DataType.Int64 => ("int64_data", tensor.Int64Data.Count),
            DataType.Uint32 or DataType.Uint64 => ("uint64_data", tensor.Uint64Data.Count),
            DataType.String => ("string_data", tensor.StringData.Count),
            _ => ("int32_data", tensor.Int32Data.Count),
        };
        if (filled is not null && filled != field)
        {
            throw new OnnxFormatException($"{claim} has its values in {filled}; expected {field}.");
        }

        // Complex numbers are two values each; types below a byte share one.
        var expected = type is DataType.Complex64 or DataType.Complex128 ? (Int128)count * 2
            : bits is > 0 and < 8 ? Bytes(count, bits) : count;
        if (found != expected)
        {
            throw new OnnxFormatException($"{claim} has {found} values in {field}; expected {expected}.");
        }
    }

    private static IEnumerable<string> Filled(TensorProto tensor) => new (string Field, int Length)[]
    {
        ("raw_data", tensor.RawData.Length), ("float_data", tensor.FloatData.Count), ("int32_data", tensor.Int32Data.Count),
        ("string_data", tensor.StringData.Count), ("int64_data", tensor.Int64Data.Count), ("double_data", tensor.DoubleData.Count),
        ("uint64_data", tensor.Uint64Data.Count),
    }.Where(part => part.Length > 0).Select(part => part.Field);
}
