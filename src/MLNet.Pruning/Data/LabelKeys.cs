using MLNet.Pruning.Files;

namespace MLNet.Pruning.Data;

/// <summary>The key values of a label column, of whatever type, remembered so that predictions carry them.</summary>
internal abstract class LabelKeys
{
    private const string KeyValues = "KeyValues";

    public abstract VectorDataViewType Type { get; }

    /// <summary>The key values of a column, or what another annotation says are a score's classes; null where it has none.</summary>
    public static LabelKeys? Of(DataViewSchema.Column column, string annotation = KeyValues)
    {
        if (column.Annotations.Schema.GetColumnOrNull(annotation)?.Type is not VectorDataViewType { IsKnownSize: true } type)
        {
            return null;
        }

        var keys = (LabelKeys)Activator.CreateInstance(typeof(Values<>).MakeGenericType(type.ItemType.RawType), type)!;
        keys.Read(column.Annotations, annotation);
        return keys;
    }

    /// <summary>Key values of that type whose contents nobody asks for: schema shapes know types only.</summary>
    public static LabelKeys Placeholder(PrimitiveDataViewType itemType)
        => (LabelKeys)Activator.CreateInstance(typeof(Values<>).MakeGenericType(itemType.RawType), new VectorDataViewType(itemType, 2))!;

    public abstract void Add(DataViewSchema.Annotations.Builder annotations, string name);

    /// <summary>Gives a column of objects these key values.</summary>
    public abstract void Add(SchemaDefinition.Column column);

    /// <summary>The values as text.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>The values, where they are text.</summary>
    public abstract IEnumerable<string>? Texts { get; }

    /// <summary>The values for a file.</summary>
    public abstract JsonElement ToJson();

    /// <summary>The key values that <see cref="ToJson"/> wrote.</summary>
    public static LabelKeys FromJson(PrimitiveDataViewType itemType, JsonElement values)
    {
        var type = new VectorDataViewType(itemType, values.GetArrayLength());
        var keys = (LabelKeys)Activator.CreateInstance(typeof(Values<>).MakeGenericType(itemType.RawType), type)!;
        keys.Read(values);
        return keys;
    }

    protected abstract void Read(JsonElement values);

    protected abstract void Read(DataViewSchema.Annotations annotations, string name);

    private sealed class Values<T>(VectorDataViewType type) : LabelKeys
    {
        private VBuffer<T> _values;

        public override VectorDataViewType Type => type;

        public override IReadOnlyList<string> Names => [.. _values.DenseValues()
            .Select(value => Convert.ToString((object?)value, CultureInfo.InvariantCulture) ?? "")];

        public override IEnumerable<string>? Texts => _values is VBuffer<ReadOnlyMemory<char>> texts ? texts.DenseValues().Select(text => text.ToString())
            : null;

        public override void Add(DataViewSchema.Annotations.Builder annotations, string name)
            => annotations.Add(name, type, (ref VBuffer<T> value) => _values.CopyTo(ref value));

        public override void Add(SchemaDefinition.Column column) => column.AddAnnotation(KeyValues, _values, type);

        // As a sequence: an array of bytes would be written as one text.
        public override JsonElement ToJson() => Texts is { } texts
            ? JsonSerializer.SerializeToElement(texts, ModelArchive.Json) : JsonSerializer.SerializeToElement(_values.DenseValues(), ModelArchive.Json);

        protected override void Read(JsonElement values)
        {
            T[] items = typeof(T) == typeof(ReadOnlyMemory<char>)
                ? (T[])(object)new JsonPart(values).Items().Select(text => text.Text().AsMemory()).ToArray()
                : [.. values.Deserialize<IEnumerable<T>>(ModelArchive.Json)!];
            _values = new(items.Length, items);
        }

        protected override void Read(DataViewSchema.Annotations annotations, string name) => annotations.GetValue(name, ref _values);
    }
}
