using System.Numerics;
using Google.Protobuf;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

internal static partial class OnnxTensor
{
    /// <summary>A tensor of floats as raw data.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dims">Sizes by dimension.</param>
    /// <param name="values">The values in row-major order; those that the type cannot hold are rounded to the nearest, ties to even.</param>
    /// <param name="type">Float, Float16, Bfloat16 or Double.</param>
    public static TensorProto FromFloats(string name, IEnumerable<long> dims, ReadOnlySpan<float> values, DataType type = DataType.Float) =>
        Create(name, dims, values.Length, type, type switch
        {
            DataType.Float => ToBytes(values, name, static value => value),
            DataType.Double => ToBytes(values, name, static value => (double)value),
            DataType.Float16 => ToBytes(values, name, static value => (Half)value),
            DataType.Bfloat16 => ToBytes(values, name, ToBrain),
            _ => throw new ArgumentException($"Tensor '{name}' of floats cannot be written as {type}; expected Float, Float16, Bfloat16 or Double.",
                nameof(type)),
        });

    /// <summary>A tensor of integers or truth values as raw data.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dims">Sizes by dimension.</param>
    /// <param name="values">The values in row-major order.</param>
    /// <param name="type">An integer type of 2 to 64 bits, or Bool (0 is false).</param>
    /// <exception cref="ArgumentException">Another type, or a value that the type does not hold.</exception>
    public static TensorProto FromLongs(string name, IEnumerable<long> dims, ReadOnlySpan<long> values, DataType type = DataType.Int64) =>
        Create(name, dims, values.Length, type, type switch
        {
            DataType.Int64 => ToBytes(values, name, static value => value),
            DataType.Uint64 => ToBytes(values, name, ulong.CreateChecked),
            DataType.Int32 => ToBytes(values, name, int.CreateChecked),
            DataType.Uint32 => ToBytes(values, name, uint.CreateChecked),
            DataType.Int16 => ToBytes(values, name, short.CreateChecked),
            DataType.Uint16 => ToBytes(values, name, ushort.CreateChecked),
            DataType.Int8 => ToBytes(values, name, sbyte.CreateChecked),
            DataType.Uint8 => ToBytes(values, name, byte.CreateChecked),
            DataType.Bool => ToBytes(values, name, static value => (byte)(value == 0 ? 0 : 1)),
            DataType.Uint4 => Pack(values, name, 4, 0, 15),
            DataType.Int4 => Pack(values, name, 4, -8, 7),
            DataType.Uint2 => Pack(values, name, 2, 0, 3),
            DataType.Int2 => Pack(values, name, 2, -2, 1),
            _ => throw new ArgumentException($"Tensor '{name}' of integers cannot be written as {type}; expected an integer type or Bool.", nameof(type)),
        });

    private static TensorProto Create(string name, IEnumerable<long> dims, int length, DataType type, byte[] bytes)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = UnsafeByteOperations.UnsafeWrap(bytes) };
        tensor.Dims.AddRange(dims);
        return Count(tensor) == length ? tensor
            : throw new ArgumentException($"Tensor '{name}' has the dimensions [{OnnxTensorSize.Dimensions(tensor.Dims)}], but {length} values were given.",
                nameof(dims));
    }

    private static byte[] ToBytes<TFrom, TTo>(ReadOnlySpan<TFrom> values, string name, Func<TFrom, TTo> convert)
        where TFrom : unmanaged where TTo : unmanaged
    {
        var size = (long)values.Length * Unsafe.SizeOf<TTo>();
        if (size > Array.MaxLength)
        {
            throw new ArgumentException($"Tensor '{name}' has {size} bytes; a tensor of an ONNX file has at most {Array.MaxLength}.", nameof(values));
        }

        var bytes = GC.AllocateUninitializedArray<byte>((int)size);
        if (typeof(TFrom) == typeof(TTo))
        {
            MemoryMarshal.AsBytes(values).CopyTo(bytes);
            return bytes;
        }

        var converted = MemoryMarshal.Cast<byte, TTo>(bytes.AsSpan());
        for (var i = 0; i < values.Length; i++)
        {
            try
            {
                converted[i] = convert(values[i]);
            }
            catch (OverflowException exception)
            {
                throw new ArgumentException($"Tensor '{name}' has the value {values[i]} at {i}, which {typeof(TTo).Name} does not hold.", nameof(values),
                    exception);
            }
        }

        return bytes;
    }

    /// <summary>Several values a byte, the first in the lowest bits.</summary>
    private static byte[] Pack(ReadOnlySpan<long> values, string name, int bits, int lowest, int highest)
    {
        var bytes = new byte[(int)OnnxTensorSize.Bytes(values.Length, bits)];
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] < lowest || values[i] > highest)
            {
                throw new ArgumentException($"Tensor '{name}' has the value {values[i]} at {i}; expected {lowest} to {highest}.", nameof(values));
            }

            var (index, shift) = Math.DivRem((long)i * bits, 8);
            bytes[index] |= (byte)((values[i] & ((1 << bits) - 1)) << (int)shift);
        }

        return bytes;
    }

    private static ushort ToBrain(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        // Rounding would carry the payload of a NaN into infinity: keep its upper half, made quiet.
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
