using System.Numerics;
using Google.Protobuf.Collections;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

/// <summary>Values of the tensors of an ONNX file, whatever their type and wherever they lie.</summary>
internal static partial class OnnxTensor
{
    // 64 KB of floats: what is converted stays in the second-level cache.
    private const int ChunkLength = 1 << 14;

    private delegate void Conversion<TFrom, TTo>(ReadOnlySpan<TFrom> from, Span<TTo> to);

    /// <summary>Number of values by the tensor's dimensions.</summary>
    /// <exception cref="OnnxFormatException">A dimension is negative, or the product passes 64 bits.</exception>
    public static long Count(TensorProto tensor) => OnnxTensorSize.Count(tensor.Dims, Place(tensor));

    /// <summary>The values of a tensor of 32, 16 or 64-bit floats (beyond the range of 32 bits: infinite, as IEEE 754 rounds).</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="folder">The model's folder, for external data; null if it has none.</param>
    /// <returns>A pinned array, so that native code can use it in place.</returns>
    /// <exception cref="OnnxFormatException">Another type, or the values are not there.</exception>
    public static float[] ToFloats(TensorProto tensor, string? folder)
    {
        var place = Place(tensor);
        OnnxTensorSize.Check(tensor, folder, place);
        if ((DataType)tensor.DataType == DataType.Float && FloatBytes.Take(tensor.RawData) is { } own)
        {
            return own;
        }

        var values = GC.AllocateUninitializedArray<float>(Length(tensor.Dims, place), pinned: true);
        switch ((DataType)tensor.DataType)
        {
            case DataType.Float when tensor.FloatData.Count > 0:
                tensor.FloatData.CopyTo(values, 0);
                break;
            case DataType.Float:
                FromBytes<float>(tensor, folder, values);
                break;
            case DataType.Double when tensor.DoubleData.Count > 0:
                FromField(tensor.DoubleData, values, place, static value => (float)value);
                break;
            case DataType.Double:
                FromBytes<double, float>(tensor, folder, values, Convert);
                break;
            case DataType.Float16 when tensor.Int32Data.Count > 0:
                FromField(tensor.Int32Data, values, place, static value => (float)BitConverter.UInt16BitsToHalf(ushort.CreateChecked(value)));
                break;
            case DataType.Float16:
                FromBytes<Half, float>(tensor, folder, values, Convert);
                break;
            case DataType.Bfloat16 when tensor.Int32Data.Count > 0:
                FromField(tensor.Int32Data, values, place, static value => FromBrain(ushort.CreateChecked(value)));
                break;
            case DataType.Bfloat16:
                FromBytes<ushort, float>(tensor, folder, values, FromBrain);
                break;
            default:
                throw new OnnxFormatException($"{place} is of type {(DataType)tensor.DataType}; expected Float, Float16, Bfloat16 or Double.");
        }

        return values;
    }

    /// <summary>The values of a tensor of integers of 2 to 64 bits, or of truth values as 0 and 1.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="folder">The model's folder, for external data; null if it has none.</param>
    /// <exception cref="OnnxFormatException">Another type, a value outside its type or above 2^63 - 1, or the values are not there.</exception>
    public static long[] ToLongs(TensorProto tensor, string? folder)
    {
        var place = Place(tensor);
        OnnxTensorSize.Check(tensor, folder, place);
        var type = (DataType)tensor.DataType;
        return type switch
        {
            DataType.Int64 => ToLongs<long, long>(tensor, tensor.Int64Data, folder),
            DataType.Uint64 => ToLongs<ulong, ulong>(tensor, tensor.Uint64Data, folder),
            DataType.Uint32 => ToLongs<uint, ulong>(tensor, tensor.Uint64Data, folder),
            DataType.Int32 => ToLongs<int, int>(tensor, tensor.Int32Data, folder),
            DataType.Uint16 => ToLongs<ushort, int>(tensor, tensor.Int32Data, folder),
            DataType.Int16 => ToLongs<short, int>(tensor, tensor.Int32Data, folder),
            DataType.Uint8 => ToLongs<byte, int>(tensor, tensor.Int32Data, folder),
            DataType.Int8 => ToLongs<sbyte, int>(tensor, tensor.Int32Data, folder),
            DataType.Bool => [.. ToLongs<byte, int>(tensor, tensor.Int32Data, folder).Select(value => value == 0 ? 0L : 1)],
            DataType.Uint4 or DataType.Uint2 => Unpack(tensor, folder, OnnxTensorSize.Bits(type, place), signed: false),
            DataType.Int4 or DataType.Int2 => Unpack(tensor, folder, OnnxTensorSize.Bits(type, place), signed: true),
            _ => throw new OnnxFormatException($"{place} is of type {type}; expected integers or truth values."),
        };
    }

    private static string Place(TensorProto tensor) => $"Tensor '{tensor.Name}'";

    private static int Length(IReadOnlyCollection<long> dims, string place)
    {
        var count = OnnxTensorSize.Count(dims, place);
        return count <= Array.MaxLength ? (int)count
            : throw new OnnxFormatException($"{place} has {count} values ([{OnnxTensorSize.Dimensions(dims)}]); at most {Array.MaxLength} fit an array.");
    }

    private static long[] ToLongs<TFrom, TField>(TensorProto tensor, RepeatedField<TField> field, string? folder)
        where TFrom : unmanaged, INumber<TFrom> where TField : INumber<TField>
    {
        var place = Place(tensor);
        var values = new long[Length(tensor.Dims, place)];
        try
        {
            if (field.Count > 0)
            {
                FromField(field, values, place, static value => long.CreateChecked(TFrom.CreateChecked(value)));
            }
            else
            {
                FromBytes<TFrom, long>(tensor, folder, values, static (from, to) =>
                {
                    for (var i = 0; i < from.Length; i++)
                    {
                        to[i] = long.CreateChecked(from[i]);
                    }
                });
            }
        }
        catch (OverflowException exception)
        {
            throw new OnnxFormatException($"{place} of type {(DataType)tensor.DataType} has a value above {long.MaxValue}; expected at most that.", exception);
        }

        return values;
    }

    /// <summary>Values of less than a byte, the first in the lowest bits; a typed field holds one byte an entry.</summary>
    private static long[] Unpack(TensorProto tensor, string? folder, int bits, bool signed)
    {
        var place = Place(tensor);
        var values = new long[Length(tensor.Dims, place)];
        var bytes = new byte[(int)OnnxTensorSize.Bytes(values.Length, bits)];
        if (tensor.Int32Data.Count > 0)
        {
            FromField(tensor.Int32Data, bytes, place, static value => byte.CreateChecked(value));
        }
        else
        {
            FromBytes<byte>(tensor, folder, bytes);
        }

        for (var i = 0; i < values.Length; i++)
        {
            var (index, shift) = Math.DivRem((long)i * bits, 8);
            var value = (bytes[index] >> (int)shift) & ((1 << bits) - 1);
            values[i] = signed && value >= 1 << (bits - 1) ? value - (1 << bits) : value;
        }

        return values;
    }

    private static void FromField<TFrom, TTo>(RepeatedField<TFrom> field, TTo[] values, string place, Func<TFrom, TTo> convert)
    {
        for (var i = 0; i < values.Length; i++)
        {
            try
            {
                values[i] = convert(field[i]);
            }
            catch (OverflowException exception)
            {
                throw new OnnxFormatException($"{place} has the value {field[i]} at {i}, which its type does not hold.", exception);
            }
        }
    }

    private static void FromBytes<T>(TensorProto tensor, string? folder, Span<T> values) where T : unmanaged
    {
        // In pieces, because a span counts at most 2^31 bytes.
        const int piece = 1 << 24;
        using var source = OnnxTensorBytes.Open(tensor, folder, Place(tensor));
        for (var start = 0; start < values.Length; start += Math.Min(piece, values.Length - start))
        {
            source.Read((long)start * Unsafe.SizeOf<T>(), MemoryMarshal.AsBytes(values.Slice(start, Math.Min(piece, values.Length - start))));
        }
    }

    private static void FromBytes<TFrom, TTo>(TensorProto tensor, string? folder, Span<TTo> values, Conversion<TFrom, TTo> convert)
        where TFrom : unmanaged
    {
        var chunk = new TFrom[Math.Min(ChunkLength, values.Length)];
        using var source = OnnxTensorBytes.Open(tensor, folder, Place(tensor));
        for (var start = 0; start < values.Length; start += chunk.Length)
        {
            var part = chunk.AsSpan(0, Math.Min(chunk.Length, values.Length - start));
            source.Read((long)start * Unsafe.SizeOf<TFrom>(), MemoryMarshal.AsBytes(part));
            convert(part, values.Slice(start, part.Length));
        }
    }

    private static void Convert<T>(ReadOnlySpan<T> from, Span<float> to) where T : INumberBase<T>
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = float.CreateTruncating(from[i]);
        }
    }

    private static void FromBrain(ReadOnlySpan<ushort> from, Span<float> to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = FromBrain(from[i]);
        }
    }

    // A bfloat16 is the upper half of a float.
    private static float FromBrain(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
