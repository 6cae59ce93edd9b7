using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>The values that have a key, in the order of their keys.</summary>
internal abstract class Vocabulary
{
    public abstract PrimitiveDataViewType ItemType { get; }

    public abstract int Count { get; }

    public static Vocabulary Read(BinaryReader reader)
    {
        var values = KeyValues.Read(reader);
        return GenericCall.Static<Vocabulary>(typeof(Vocabulary), nameof(Of), [values.Type.ItemType.RawType], values);
    }

    public abstract void Write(BinaryWriter writer);

    public abstract Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source);

    /// <summary>What the keys stand for; null where there are none.</summary>
    /// <param name="source">The column mapped: of a column of keys its own key values are passed on.</param>
    /// <param name="asText">Whether to describe the values as text.</param>
    public abstract KeyValues? Describe(DataViewSchema.Column source, bool asText);

    private static Vocabulary Of<T>(KeyValues values)
        where T : notnull => new Vocabulary<T>((KeyValues<T>)values);
}

internal sealed class Vocabulary<T> : Vocabulary
    where T : notnull
{
    private readonly KeyValues<T> _values;
    private readonly Dictionary<T, uint> _keys = TextComparer.Dictionary<T, uint>();

    public Vocabulary(KeyValues<T> values)
    {
        _values = values;
        for (int i = 0; i < values.Items.Length; i++)
        {
            _keys.Add(values.Items[i], (uint)i + 1);
        }
    }

    public override PrimitiveDataViewType ItemType => _values.Type.ItemType;

    public override int Count => _values.Items.Length;

    public override void Write(BinaryWriter writer) => _values.Write(writer);

    public override Delegate MakeGetter(DataViewRow input, DataViewSchema.Column source) => ItemGetter.Make<T, uint>(
        input,
        source,
        (in T value, ref uint key) => key = _keys.GetValueOrDefault(value),
        keepsDefault: !_keys.ContainsKey(default!));

    public override KeyValues? Describe(DataViewSchema.Column source, bool asText)
    {
        if (Count == 0)
        {
            return null;
        }

        KeyValues values = ItemType is KeyDataViewType && KeyValues.Of(source) is { } described
            ? GenericCall.Instance<KeyValues>(this, nameof(Translate), [described.Type.ItemType.RawType], described)
            : _values;
        return asText && values.Type.ItemType is not TextDataViewType ? values.ToText() : values;
    }

    private KeyValues<TValue> Translate<TValue>(KeyValues<TValue> described) =>
        new(described.Type.ItemType, [.. _values.Items.Select(key => described.Items[Convert.ToUInt64(key) - 1])]);
}
