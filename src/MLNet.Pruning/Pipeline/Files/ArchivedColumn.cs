using MLNet.Pruning.Data;
using MLNet.Pruning.Files;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>A column of rows in a model file.</summary>
internal sealed record ArchivedColumn(string Name, string Type, ulong? KeyCount, List<int>? Dimensions)
{
    public static ArchivedColumn Of(string name, DataViewType type)
    {
        var vector = type as VectorDataViewType;
        var item = vector?.ItemType ?? type;
        return new(name, ArchivedTypes.NameOf(item), item is KeyDataViewType key ? key.Count : null, vector is null ? null : [.. vector.Dimensions]);
    }

    /// <summary>
    /// The columns of a schema; null where it has more than names and types. ML.NET's own file of a schema keeps all of it, but a process takes as long to read
    /// its first one as the rest of a small model: that looks through all classes of ML.NET for the one that wrote it.
    /// </summary>
    public static ArchivedColumn[]? Of(DataViewSchema schema)
        => schema.Any(column => column.IsHidden || column.Annotations.Schema.Count > 0 || !ArchivedTypes.IsKnown(column.Type)) ? null
            : [.. schema.Select(column => Of(column.Name, column.Type))];

    /// <exception cref="JsonException">It is no column.</exception>
    /// <exception cref="ArgumentException">There is no such type.</exception>
    public static InputColumn Read(JsonPart json)
    {
        var item = ArchivedTypes.TypeOf(json[nameof(Type)].Text());
        item = json.Optional(nameof(KeyCount)) is { } count ? new KeyDataViewType(item.RawType, count.Count()) : item;
        return new(json[nameof(Name)].Text(), json.Optional(nameof(Dimensions)) is { } dimensions
            ? new VectorDataViewType(item, dimensions.Items().Select(size => size.Number()).ToArray()) : item);
    }

    /// <summary>The schema of columns that <see cref="Of(DataViewSchema)"/> gave.</summary>
    public static DataViewSchema ReadSchema(JsonPart json)
    {
        var schema = new DataViewSchema.Builder();
        foreach (var column in json.Items())
        {
            var (name, type) = Read(column);
            schema.AddColumn(name, type);
        }

        return schema.ToSchema();
    }
}
