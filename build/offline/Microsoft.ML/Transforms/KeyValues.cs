using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>What the keys 1, 2, ... of a column stand for.</summary>
internal abstract class KeyValues
{
    protected KeyValues(VectorDataViewType type) => Type = type;

    public VectorDataViewType Type { get; }

    /// <summary>The key values of a column; null where it has none, or not one for every key.</summary>
    public static KeyValues? Of(DataViewSchema.Column column)
    {
        return column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues)?.Type is VectorDataViewType type
            && (ulong)type.Size == column.Type.ItemType().KeyCount()
            ? GenericCall.Static<KeyValues>(typeof(KeyValues), nameof(OfItems), [type.ItemType.RawType], column, type)
            : null;
    }

    public static KeyValues Read(BinaryReader reader)
    {
        var item = (PrimitiveDataViewType)DataViewTypeCodec.Read(reader);
        return GenericCall.Static<KeyValues>(typeof(KeyValues), nameof(ReadItems), [item.RawType], item, reader);
    }

    public abstract void Write(BinaryWriter writer);

    public abstract void AddTo(DataViewSchema.Annotations.Builder builder, string name);

    public abstract KeyValues<ReadOnlyMemory<char>> ToText();

    private static KeyValues<T> OfItems<T>(DataViewSchema.Column column, VectorDataViewType type)
    {
        VBuffer<T> values = default;
        column.GetKeyValues(ref values);
        return new KeyValues<T>(type.ItemType, [.. values.DenseValues()]);
    }

    private static KeyValues<T> ReadItems<T>(PrimitiveDataViewType item, BinaryReader reader)
    {
        var items = new T[reader.ReadInt32()];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = ValueCodec.Read<T>(reader);
        }

        return new KeyValues<T>(item, items);
    }
}

internal sealed class KeyValues<T>(PrimitiveDataViewType item, T[] items) : KeyValues(new VectorDataViewType(item, items.Length))
{
    public T[] Items => items;

    public override void Write(BinaryWriter writer)
    {
        DataViewTypeCodec.Write(writer, Type.ItemType);
        writer.Write(items.Length);
        foreach (T value in items)
        {
            ValueCodec.Write(writer, value);
        }
    }

    public override void AddTo(DataViewSchema.Annotations.Builder builder, string name) =>
        builder.Add(name, Type, (ref VBuffer<T> value) => VBuffer<T>.Copy(items, 0, ref value, items.Length));

    public override KeyValues<ReadOnlyMemory<char>> ToText()
    {
        var convert = StandardConversions.Get<T, ReadOnlyMemory<char>>();
        return new(TextDataViewType.Instance, Array.ConvertAll(items, value =>
        {
            ReadOnlyMemory<char> text = default;
            convert(in value, ref text);
            return text;
        }));
    }
}
