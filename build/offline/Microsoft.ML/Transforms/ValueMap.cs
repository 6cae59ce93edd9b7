using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>A lookup from keys to values, either of which are items; values may be vectors or keys too.</summary>
internal abstract class ValueMap
{
    protected ValueMap(PrimitiveDataViewType keyType, DataViewType valueType, KeyValues? keyValues)
    {
        KeyType = keyType;
        ValueType = valueType;
        KeyValues = keyValues;
    }

    public PrimitiveDataViewType KeyType { get; }

    public DataViewType ValueType { get; }

    /// <summary>What the values stand for, where they are keys.</summary>
    public KeyValues? KeyValues { get; }

    public static ValueMap Read(BinaryReader reader)
    {
        var keyType = (PrimitiveDataViewType)DataViewTypeCodec.Read(reader);
        var valueType = DataViewTypeCodec.Read(reader);
        var keyValues = reader.ReadBoolean() ? KeyValues.Read(reader) : null;
        return valueType is VectorDataViewType
            ? GenericCall.Static<ValueMap>(typeof(ValueMap), nameof(ReadVectors), [keyType.RawType, valueType.ItemType().RawType], reader, keyType, valueType)
            : GenericCall.Static<ValueMap>(typeof(ValueMap), nameof(ReadItems), [keyType.RawType, valueType.RawType], reader, keyType, valueType, keyValues);
    }

    /// <summary>The lookup that two columns of a view hold, row by row.</summary>
    public static ValueMap Of(IDataView lookup, DataViewSchema.Column keys, DataViewSchema.Column values)
    {
        using var cursor = lookup.GetRowCursor([keys, values]);
        return GenericCall.Static<ValueMap>(typeof(ValueMap), nameof(OfColumns), [keys.Type.RawType, values.Type.RawType], cursor, keys, values);
    }

    public abstract void Write(BinaryWriter writer);

    public abstract Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source);

    private static ValueMap<TKey, TValue> OfColumns<TKey, TValue>(DataViewRowCursor cursor, DataViewSchema.Column keys, DataViewSchema.Column values)
        where TKey : notnull
    {
        var entries = new List<KeyValuePair<TKey, TValue>>();
        var getKey = cursor.GetGetter<TKey>(keys);
        var getValue = cursor.GetGetter<TValue>(values);
        while (cursor.MoveNext())
        {
            TKey key = default!;
            TValue value = default!;
            getKey(ref key);
            getValue(ref value);
            entries.Add(new(Detached(key), Detached(value)));
        }

        return new ValueMap<TKey, TValue>((PrimitiveDataViewType)keys.Type, values.Type, KeyValues.Of(values), entries);
    }

    // Texts may lie in a buffer that the next row overwrites.
    private static T Detached<T>(T value) => value is ReadOnlyMemory<char> text ? (T)(object)text.ToString().AsMemory() : value;

    private static ValueMap<TKey, TValue> ReadItems<TKey, TValue>(
        BinaryReader reader, PrimitiveDataViewType keyType, DataViewType valueType, KeyValues? keyValues)
        where TKey : notnull
    {
        var entries = new KeyValuePair<TKey, TValue>[reader.ReadInt32()];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = new(ValueCodec.Read<TKey>(reader), ValueCodec.Read<TValue>(reader));
        }

        return new(keyType, valueType, keyValues, entries);
    }

    private static ValueMap<TKey, VBuffer<TItem>> ReadVectors<TKey, TItem>(BinaryReader reader, PrimitiveDataViewType keyType, DataViewType valueType)
        where TKey : notnull
    {
        var entries = new KeyValuePair<TKey, VBuffer<TItem>>[reader.ReadInt32()];
        for (int i = 0; i < entries.Length; i++)
        {
            var key = ValueCodec.Read<TKey>(reader);
            var items = new TItem[reader.ReadInt32()];
            for (int slot = 0; slot < items.Length; slot++)
            {
                items[slot] = ValueCodec.Read<TItem>(reader);
            }

            entries[i] = new(key, new VBuffer<TItem>(items.Length, items));
        }

        return new(keyType, valueType, null, entries);
    }
}

internal sealed class ValueMap<TKey, TValue> : ValueMap
    where TKey : notnull
{
    private readonly Dictionary<TKey, TValue> _values = TextComparer.Dictionary<TKey, TValue>();

    public ValueMap(
        PrimitiveDataViewType keyType, DataViewType valueType, KeyValues? keyValues, IEnumerable<KeyValuePair<TKey, TValue>> entries)
        : base(keyType, valueType, keyValues)
    {
        foreach (var (key, value) in entries)
        {
            if (!_values.TryAdd(key, value))
            {
                throw new InvalidOperationException($"Duplicate keys in data '{key}'");
            }
        }
    }

    public override void Write(BinaryWriter writer)
    {
        DataViewTypeCodec.Write(writer, KeyType);
        DataViewTypeCodec.Write(writer, ValueType);
        writer.Write(KeyValues is not null);
        KeyValues?.Write(writer);
        writer.Write(_values.Count);
        foreach (var (key, value) in _values)
        {
            ValueCodec.Write(writer, key);
            if (ValueType is VectorDataViewType)
            {
                GenericCall.Static<object?>(typeof(ValueMap<TKey, TValue>), nameof(WriteVector), [ValueType.ItemType().RawType], writer, value);
            }
            else
            {
                ValueCodec.Write(writer, value);
            }
        }
    }

    public override Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source)
    {
        var copy = ValueCopy<TValue>.Copy;
        return ItemGetter.Make<TKey, TValue>(
            input,
            source,
            (in TKey key, ref TValue value) => copy(_values.GetValueOrDefault(key)!, ref value),
            keepsDefault: false);
    }

    private static object? WriteVector<TItem>(BinaryWriter writer, VBuffer<TItem> vector)
    {
        writer.Write(vector.Length);
        foreach (TItem item in vector.DenseValues())
        {
            ValueCodec.Write(writer, item);
        }

        return null;
    }
}
