using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Writes single values of primitive columns to model files.</summary>
internal static class ValueCodec
{
    public static void Write<T>(BinaryWriter writer, T value)
    {
        switch (value)
        {
            case ReadOnlyMemory<char> text: writer.Write(text.ToString()); break;
            case bool flag: writer.Write(flag); break;
            case sbyte number: writer.Write(number); break;
            case byte number: writer.Write(number); break;
            case short number: writer.Write(number); break;
            case ushort number: writer.Write(number); break;
            case int number: writer.Write(number); break;
            case uint number: writer.Write(number); break;
            case long number: writer.Write(number); break;
            case ulong number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            case TimeSpan span: writer.Write(span.Ticks); break;
            case DateTime time: writer.Write(time.ToBinary()); break;
            case DateTimeOffset time:
                writer.Write(time.Ticks);
                writer.Write(time.Offset.Ticks);
                break;
            default: throw new NotSupportedException($"A model file cannot hold values of type {typeof(T)}");
        }
    }

    public static T Read<T>(BinaryReader reader) => (T)Read(reader, typeof(T));

    private static object Read(BinaryReader reader, Type type) =>
        type == typeof(ReadOnlyMemory<char>) ? reader.ReadString().AsMemory()
        : type == typeof(bool) ? reader.ReadBoolean()
        : type == typeof(sbyte) ? reader.ReadSByte()
        : type == typeof(byte) ? reader.ReadByte()
        : type == typeof(short) ? reader.ReadInt16()
        : type == typeof(ushort) ? reader.ReadUInt16()
        : type == typeof(int) ? reader.ReadInt32()
        : type == typeof(uint) ? reader.ReadUInt32()
        : type == typeof(long) ? reader.ReadInt64()
        : type == typeof(ulong) ? reader.ReadUInt64()
        : type == typeof(float) ? reader.ReadSingle()
        : type == typeof(double) ? reader.ReadDouble()
        : type == typeof(TimeSpan) ? TimeSpan.FromTicks(reader.ReadInt64())
        : type == typeof(DateTime) ? DateTime.FromBinary(reader.ReadInt64())
        : type == typeof(DateTimeOffset) ? new DateTimeOffset(reader.ReadInt64(), TimeSpan.FromTicks(reader.ReadInt64()))
        : throw new NotSupportedException($"A model file cannot hold values of type {type}");

    public static void WriteSingles(this BinaryWriter writer, float[] values)
    {
        writer.Write(values.Length);
        foreach (float value in values)
        {
            writer.Write(value);
        }
    }

    public static float[] ReadSingles(this BinaryReader reader)
    {
        var values = new float[reader.ReadInt32()];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = reader.ReadSingle();
        }

        return values;
    }
}
