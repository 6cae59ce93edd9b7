using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Makes lookups of pairs whose types are those of CLR members: string is text, an array a vector.</summary>
internal static class ValueMapBuilder
{
    public static ValueMap Items<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> pairs, bool treatValuesAsKeyType)
    {
        var list = pairs.ToList();
        var keyType = DataViewTypes.PrimitiveOf(typeof(TKey));
        var valueType = DataViewTypes.PrimitiveOf(typeof(TValue));
        return treatValuesAsKeyType
            ? Keys(keyType, list)
            : GenericCall.Static<ValueMap>(
                typeof(ValueMapBuilder), nameof(Make), [keyType.RawType, valueType.RawType],
                keyType, valueType, null, Raw(list.Select(pair => pair.Key)), Raw(list.Select(pair => pair.Value)));
    }

    public static ValueMap Vectors<TKey, TItem>(IEnumerable<KeyValuePair<TKey, TItem[]>> pairs)
    {
        var list = pairs.ToList();
        var keyType = DataViewTypes.PrimitiveOf(typeof(TKey));
        var itemType = DataViewTypes.PrimitiveOf(typeof(TItem));
        // A common length is the size of the vectors; where there is none their size varies.
        int size = list.Count > 0 && list.TrueForAll(pair => pair.Value.Length == list[0].Value.Length) ? list[0].Value.Length : 0;
        return GenericCall.Static<ValueMap>(
            typeof(ValueMapBuilder), nameof(MakeVectors), [keyType.RawType, itemType.RawType],
            keyType, new VectorDataViewType(itemType, size), Raw(list.Select(pair => pair.Key)), list.Select(pair => Raw(pair.Value)).ToArray());
    }

    /// <summary>
    /// Unsigned values of 4 or 8 bytes are keys as they are; other distinct values get keys in the order of their appearance.
    /// </summary>
    private static ValueMap Keys<TKey, TValue>(PrimitiveDataViewType keyType, List<KeyValuePair<TKey, TValue>> pairs)
    {
        var distinct = pairs.Select(pair => pair.Value).Distinct().ToList();
        var names = new KeyValues<ReadOnlyMemory<char>>(
            TextDataViewType.Instance, [.. distinct.Select(value => (value?.ToString()).AsMemory())]);
        bool areKeys = typeof(TValue) == typeof(uint) || typeof(TValue) == typeof(ulong);
        Type rawType = areKeys ? typeof(TValue) : typeof(uint);
        Array keys = areKeys
            ? pairs.Select(pair => pair.Value).ToArray()
            : pairs.Select(pair => (uint)distinct.IndexOf(pair.Value) + 1).ToArray();
        return GenericCall.Static<ValueMap>(
            typeof(ValueMapBuilder), nameof(Make), [keyType.RawType, rawType],
            keyType, new KeyDataViewType(rawType, distinct.Count), names, Raw(pairs.Select(pair => pair.Key)), keys);
    }

    private static ValueMap<TKey, TValue> Make<TKey, TValue>(
        PrimitiveDataViewType keyType, DataViewType valueType, KeyValues? keyValues, TKey[] keys, TValue[] values)
        where TKey : notnull => new(keyType, valueType, keyValues, keys.Zip(values, KeyValuePair.Create));

    private static ValueMap<TKey, VBuffer<TItem>> MakeVectors<TKey, TItem>(
        PrimitiveDataViewType keyType, DataViewType valueType, TKey[] keys, Array[] values)
        where TKey : notnull => new(
            keyType, valueType, null, keys.Zip(values, (key, items) => KeyValuePair.Create(key, new VBuffer<TItem>(items.Length, (TItem[])items))));

    private static Array Raw<T>(IEnumerable<T> values) => values is IEnumerable<string> texts
        ? texts.Select(text => text.AsMemory()).ToArray()
        : values.ToArray();
}
