namespace Microsoft.ML.Data;

/// <summary>Writes primitive types, keys and vectors of them to model files.</summary>
internal static class DataViewTypeCodec
{
    public static void Write(BinaryWriter writer, DataViewType type)
    {
        var vector = type as VectorDataViewType;
        writer.Write(vector is not null);
        if (vector is not null)
        {
            writer.Write(vector.Dimensions.Length);
            foreach (int dimension in vector.Dimensions)
            {
                writer.Write(dimension);
            }
        }

        var item = type.ItemType();
        writer.Write((byte)KindOf(item));
        writer.Write(item.KeyCount());
    }

    public static DataViewType Read(BinaryReader reader)
    {
        int[]? dimensions = null;
        if (reader.ReadBoolean())
        {
            dimensions = new int[reader.ReadInt32()];
            for (int i = 0; i < dimensions.Length; i++)
            {
                dimensions[i] = reader.ReadInt32();
            }
        }

        PrimitiveDataViewType item = DataViewTypes.PrimitiveOf((DataKind)reader.ReadByte());
        ulong keyCount = reader.ReadUInt64();
        if (keyCount > 0)
        {
            item = new KeyDataViewType(item.RawType, keyCount);
        }

        return dimensions is null ? item : new VectorDataViewType(item, dimensions);
    }

    private static DataKind KindOf(DataViewType item)
    {
        foreach (var kind in Enum.GetValues<DataKind>())
        {
            if (DataViewTypes.PrimitiveOf(kind).RawType == item.RawType)
            {
                return kind;
            }
        }

        throw new NotSupportedException($"A model file cannot hold values of type {item}");
    }
}
